import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  behindProxy,
  confirmReset,
  elsewhere,
  mailedDuring,
  requestChange,
  requestReset,
  requestVerification,
  resetCode,
  signIn,
  signUp,
  subjects,
} from "../support/attacks.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { sessionOf } from "../support/http.ts";
import { codeIn, parseMail, type Mail } from "../support/mails.ts";
import { startMailServer } from "#kernel/mail/testing/mail-server.ts";

const password = "a quiet river at noon";
const spy = "spy@evil.example";

/** The names of a raw mail's headers. */
const headerNames = (raw: string): readonly string[] =>
  (raw.replaceAll("\r\n", "\n").split("\n\n", 1)[0] ?? "")
    .split("\n")
    .filter((line) => !/^[ \t]/.test(line))
    .map((line) => line.split(":", 1)[0] ?? "")
    .toSorted();

const ours = [
  "Auto-Submitted",
  "Content-Type",
  "Date",
  "From",
  "MIME-Version",
  "Message-ID",
  "Subject",
  "To",
];

/** Addresses with something behind, before or in them that a mail server could take for more. */
const addresses: readonly (readonly [name: string, address: string])[] = [
  ["CR LF and a header", `victim@example.com\r\nBcc: ${spy}`],
  ["LF and a header", `victim@example.com\nBcc: ${spy}`],
  ["CR and a header", `victim@example.com\rBcc: ${spy}`],
  ["CR LF in the name", `victim\r\nBcc:${spy}\r\n@example.com`],
  ["a folded line", `victim@example.com\r\n ${spy}`],
  ["an escaped line break", `victim@example.com%0aBcc:${spy}`],
  ["an escaped CR LF", `victim@example.com%0d%0aBcc:%20${spy}`],
  ["a comma", `victim@example.com,${spy}`],
  ["a comma in the name", `victim,${spy}@example.com`],
  ["a semicolon", `victim@example.com;${spy}`],
  ["a blank", `victim@example.com ${spy}`],
  ["angle brackets", `victim@example.com <${spy}>`],
  ["a display name", `"victim@example.com" <${spy}>`],
  ["a group", `friends: victim@example.com, ${spy};`],
  ["an SMTP command", "victim@example.com>\r\nRCPT TO:<spy@evil.example"],
  ["SMTP parameters", "victim@example.com> NOTIFY=SUCCESS ORCPT=rfc822;spy@evil.example"],
  ["Unicode's line separator", `victim@example.com\u2028Bcc: ${spy}`],
  ["Unicode's next line", `victim@example.com\u0085Bcc: ${spy}`],
  ["letters whose low byte is CR LF", `victim@example.com\u010d\u010aBcc: ${spy}`],
  ["an encoded word with a line break", `=?utf-8?q?victim=0ABcc:_spy?= <victim@example.com>`],
  ["a NUL", `victim@example.com\0${spy}`],
];

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse({ ...roomy, ...behindProxy });
});
afterAll(stopHouses);

describe("an address", () => {
  test.each(addresses)("A19: with %s is refused everywhere, and nothing is sent", async (_, address) => {
    const person = await house.person();
    const mails = await mailedDuring(house, async () => {
      expect((await signUp(house, address, password, elsewhere())).status).toBe(400);
      expect((await requestReset(house, address)).status).toBe(400);
      expect((await requestVerification(house, address)).status).toBe(400);
      expect((await requestChange(house, person, address)).status).toBe(400);
      const json = { current_password: password, email: address };
      expect((await house.send("PUT", "/api/v9/me", { session: person.session, json })).status).toBe(400);
      expect((await signIn(house, address, password, elsewhere())).status).toBe(403);
    });
    expect(mails).toEqual([]);
    expect(house.logs.filter((line) => line.includes("evil.example"))).toEqual([]);
  });
});

/** Names that try to become headers, markup or log lines. What holds a line break is refused; the rest is only text. */
const names: readonly (readonly [name: string, displayName: string, taken: boolean])[] = [
  ["CR LF", `Vic\r\nBcc: ${spy}`, false],
  ["LF", `Vic\nBcc: ${spy}`, false],
  ["CR", `Vic\rBcc: ${spy}`, false],
  ["a NUL", "Vic\0tim", false],
  ["an escape sequence", "Vic\u001b[2J", false],
  ["Unicode's line separator", `Vic\u2028Bcc: ${spy}`, false],
  ["Unicode's next line", `Vic\u0085Bcc: ${spy}`, false],
  ["an override of the writing direction", "Vic\u202emit", false],
  ["an encoded word with a line break", `=?utf-8?q?Vic=0D=0ABcc:_${spy}?=`, true],
  ["an encoded word in base64", `=?utf-8?b?VmljDQpCY2M6IHNweUBldmlsLmV4YW1wbGU=?=`, true],
  ["an escaped line break", `Vic%0d%0aBcc: ${spy}`, true],
  ["another address", `Vic <${spy}>`, true],
  ["quotes and a comma", `"Vic", ${spy}`, true],
  ["markup", `<img src=x onerror=alert(1)>`, true],
  ["a script", `</title><script>alert(1)</script>`, true],
  ["a log line", `Vic","level":"fatal","msg":"owned`, true],
  ["a format", "%s%n{{7*7}}${7*7}<%= 7*7 %>", true],
];

/** Sets off every mail there is, to a person of this name, and tells what was mailed. */
const everyMail = async (
  where: TestHouse,
  name: string,
  arrived: () => Promise<readonly Mail[]>,
): Promise<{ readonly mails: readonly Mail[]; readonly expected: readonly string[] }> => {
  people += 1;
  const email = `victim${people}@example.com`;
  const moved = `moved${people}@example.com`;
  const own = async () => (await arrived()).filter(({ to }) => to === email || to === moved);
  await where.send("POST", "/api/signup", {
    json: { email, password, tos_accepted_for: "track", display_name: name },
    headers: { ...elsewhere(), "user-agent": `Agent <b>${spy}</b>` },
  });
  await requestReset(where, email);
  const code = codeIn((await own()).find(({ subject }) => subject === subjects.reset));
  const session = sessionOf(await confirmReset(where, code, "a different river at dawn"));
  const json = { current_password: "a different river at dawn", email: moved, fullname: name };
  expect((await where.send("PUT", "/api/v9/me", { session, json })).status).toBe(200);
  expect((await where.send("POST", "/api/me/close_account/track", { session })).status).toBe(200);
  const expected = [
    `${email}: ${subjects.verify}`,
    `${email}: ${subjects.reset}`,
    `${email}: Your password was changed`,
    `${email}: Your e-mail address was changed`,
    `${moved}: ${subjects.verify}`,
    `${moved}: ${subjects.closed}`,
  ];
  return { mails: await own(), expected };
};
let people = 0;

const expectOnlyText = (name: string, mails: readonly Mail[], expected: readonly string[]): void => {
  expect(mails.map(({ to, subject }) => `${to}: ${subject}`).toSorted()).toEqual(expected.toSorted());
  for (const mail of mails) {
    expect(headerNames(mail.raw)).toEqual(ours);
    expect(mail.raw).not.toContain(spy);
    // Whatever a name is shown in must not be able to end what it is shown in.
    if (/[<>]/.test(name)) expect(mail.html).not.toContain(name);
  }
};

const expectQuietLogs = (logs: readonly string[]): void => {
  for (const line of logs) {
    expect(JSON.parse(line)).toMatchObject({ level: expect.not.stringContaining("fatal") });
    expect(line).not.toMatch(/victim\d*@example/);
  }
};

describe("a display name", () => {
  test.each(names.filter(([, , taken]) => !taken))("A19: with %s is refused", async (_, name) => {
    const mails = await mailedDuring(house, async () => {
      const json = { email: "victim@example.com", password, tos_accepted_for: "track", display_name: name };
      expect((await house.send("POST", "/api/signup", { json, headers: elsewhere() })).status).toBe(400);
    });
    expect(mails).toEqual([]);
    const person = await house.person();
    const change = await house.send("PUT", "/api/v9/me", {
      session: person.session,
      json: { fullname: name },
    });
    expect([change.status, change.text]).toEqual([400, '"Invalid fullname"']);
  });

  const texts = names.filter(([, , taken]) => taken);

  test.each(texts)("A19: with %s is only a text", async (_, name) => {
    const { mails, expected } = await everyMail(house, name, () => house.mails());
    expectOnlyText(name, mails, expected);
    expectQuietLogs(house.logs);
  });

  test("A19: is only a text by SMTP too, and reaches nobody else", async () => {
    const server = await startMailServer();
    const posting = await startHouse({ ...roomy, ...behindProxy, LATCHKEY_SMTP_URL: server.url });
    const arrived = async (): Promise<readonly Mail[]> => {
      await posting.inside.courier.deliverDue();
      return server.taken.map(({ raw }) => parseMail(raw));
    };
    for (const [, name] of texts) {
      const { mails, expected } = await everyMail(posting, name, arrived);
      expectOnlyText(name, mails, expected);
    }
    // The envelope says what the header says, and nothing else.
    expect(server.taken.map(({ from: sender, to }) => [sender, to])).toEqual(
      (await arrived()).map(({ to }) => ["no-reply@localhost", [to]]),
    );
    expect(server.taken).toHaveLength(6 * texts.length);
    expectQuietLogs(posting.logs);
  });

  test("A19: stands in JSON as it is, and on no page without being escaped", async () => {
    const name = `</script><script>alert("1")</script>`;
    const person = await house.person();
    await house.send("PUT", "/api/v9/me", { session: person.session, json: { fullname: name } });
    const me = await house.send("GET", "/api/v9/me", { session: person.session });
    expect(me.json()).toMatchObject({ fullname: name });
    expect(me.headers).toMatchObject({
      "content-type": "application/json; charset=utf-8",
      "x-content-type-options": "nosniff",
    });
  });
});

test("A19: strange but good addresses get their mail unchanged, and nobody else does", async () => {
  const server = await startMailServer();
  const posting = await startHouse({ ...roomy, ...behindProxy, LATCHKEY_SMTP_URL: server.url });
  const good = [
    "=?utf-8?q?x=0ABcc?=@example.com",
    "a%spy=evil.example@example.com",
    "evil.example!spy@example.com",
    "o'neil+tag/{b}|c^d`e~f&g*h#i$j?k=l_m-n@example.com",
  ];
  for (const address of good) {
    expect((await signUp(posting, address, password, elsewhere())).status, address).toBe(200);
  }
  await posting.inside.courier.deliverDue();
  expect(server.taken.map(({ to }) => to.join()).toSorted()).toEqual(good.toSorted());
  for (const { raw, to } of server.taken) {
    expect(headerNames(raw)).toEqual(ours);
    expect(raw).toContain(`\r\nTo: ${to.join()}\r\n`);
  }
});

test("A19: what a client calls itself reaches neither mails nor headers, and stays on its line in the logs", async () => {
  const own = await startHouse(behindProxy);
  const agent = `curl\t"level":"fatal" <script>${"x".repeat(600)}`;
  await own.send("POST", "/api/signup", {
    json: { email: "victim@example.com", password, tos_accepted_for: "track" },
    headers: { ...elsewhere(), "user-agent": agent, "x-request-id": "forged\u00ff" },
  });
  await resetCode(own, "victim@example.com");
  for (const mail of await own.mails()) expect(mail.raw).not.toContain("<script>");
  expectQuietLogs(own.logs);
  expect(own.logs.filter((line) => line.includes("forged"))).toEqual([]);
});
