import { afterAll, describe, expect, test } from "vitest";
import {
  behindProxy,
  confirmReset,
  elsewhere,
  from,
  mailedCode,
  requestReset,
  resetCode,
  signIn,
  signUp,
  subjects,
} from "../support/attacks.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { sessionOf } from "../support/http.ts";
import { codeIn, parseMail } from "../support/mails.ts";
import { startMailServer } from "#kernel/mail/testing/mail-server.ts";

afterAll(stopHouses);

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

describe("an address", () => {
  test.each(addresses)("A19: with %s is refused everywhere, and nothing is sent", async (_, address) => {
    const house = await startHouse(behindProxy);
    const person = await house.person("victim@example.com", password);
    const before = (await house.mails()).length;

    expect((await signUp(house, address, password, elsewhere())).status).toBe(400);
    expect((await requestReset(house, address)).status).toBe(400);
    const json = { current_password: password, email: address };
    expect((await house.send("PUT", "/api/v9/me", { session: person.session, json })).status).toBe(400);
    expect((await signIn(house, address, password, elsewhere())).status).toBe(403);

    expect(await house.mails()).toHaveLength(before);
    expect(house.logs.filter((line) => line.includes("evil.example"))).toEqual([]);
    await house.stop();
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

/** Sets off every mail there is, to one person, behind one mail server. */
const everyMail = async (
  house: TestHouse,
  read: (subject: string) => Promise<string>,
  name: string,
): Promise<void> => {
  const email = "victim@example.com";
  await house.send("POST", "/api/signup", {
    json: { email, password, tos_accepted_for: "track", display_name: name },
    headers: { ...elsewhere(), "user-agent": `Agent <b>${spy}</b>` },
  });
  await requestReset(house, email);
  const session = sessionOf(
    await confirmReset(house, await read(subjects.reset), "a different river at dawn"),
  );
  const json = { current_password: "a different river at dawn", email: "moved@example.com", fullname: name };
  expect((await house.send("PUT", "/api/v9/me", { session, json })).status).toBe(200);
  expect((await house.send("POST", "/api/me/close_account/track", { session })).status).toBe(200);
};

const expected = [
  ["moved@example.com", subjects.verify],
  ["moved@example.com", subjects.closed],
  ["victim@example.com", subjects.verify],
  ["victim@example.com", subjects.reset],
  ["victim@example.com", "Your e-mail address was changed"],
  ["victim@example.com", "Your password was changed"],
];

describe("a display name", () => {
  test.each(names.filter(([, , taken]) => !taken))("A19: with %s is refused", async (_, name) => {
    const house = await startHouse(behindProxy);
    const json = { email: "victim@example.com", password, tos_accepted_for: "track", display_name: name };
    expect((await house.send("POST", "/api/signup", { json })).status).toBe(400);
    const person = await house.person("other@example.com", password);
    const change = await house.send("PUT", "/api/v9/me", {
      session: person.session,
      json: { fullname: name },
    });
    expect([change.status, change.text]).toEqual([400, '"Invalid fullname"']);
    expect((await house.mails()).map(({ to }) => to)).toEqual(["other@example.com"]);
    await house.stop();
  });

  test.each(names.filter(([, , taken]) => taken))(
    "A19: with %s is only a text, in files and by SMTP",
    async (_, name) => {
      const house = await startHouse({ ...roomy, ...behindProxy });
      await everyMail(house, async () => mailedCode(house, "victim@example.com", "reset"), name);
      const filed = await house.mails();

      const server = await startMailServer();
      const posting = await startHouse({ ...roomy, ...behindProxy, LATCHKEY_SMTP_URL: server.url });
      const read = async (subject: string): Promise<string> => {
        await posting.inside.courier.deliverDue();
        return codeIn(
          server.taken.map(({ raw }) => parseMail(raw)).findLast((mail) => mail.subject === subject),
        );
      };
      await everyMail(posting, read, name);
      await posting.inside.courier.deliverDue();
      const posted = server.taken.map(({ raw }) => parseMail(raw));

      for (const mails of [filed, posted]) {
        expect(mails.map(({ to, subject }) => [to, subject]).toSorted()).toEqual(expected.toSorted());
        for (const mail of mails) {
          expect(headerNames(mail.raw)).toEqual(ours);
          expect(mail.raw).not.toContain(spy);
          // Whatever a name is shown in must not be able to end what it is shown in.
          if (/[<>]/.test(name)) expect(mail.html).not.toContain(name);
        }
      }
      expect(server.taken.map(({ from, to }) => [from, to])).toEqual(
        posted.map(({ to }) => ["no-reply@localhost", [to]]),
      );

      for (const line of [...house.logs, ...posting.logs]) {
        expect(JSON.parse(line)).toMatchObject({ level: expect.not.stringContaining("fatal") });
        expect(line).not.toContain("victim@example.com");
      }
      await house.stop();
      await posting.stop();
    },
  );

  test("A19: stands in JSON as it is, and on no page without being escaped", async () => {
    const house = await startHouse(behindProxy);
    const name = `</script><script>alert("1")</script>`;
    const person = await house.person("victim@example.com", password);
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
  const house = await startHouse({ ...roomy, ...behindProxy, LATCHKEY_SMTP_URL: server.url });
  const good = [
    "=?utf-8?q?x=0ABcc?=@example.com",
    "a%spy=evil.example@example.com",
    "evil.example!spy@example.com",
    "o'neil+tag/{b}|c^d`e~f&g*h#i$j?k=l_m-n@example.com",
  ];
  for (const address of good)
    expect((await signUp(house, address, password, elsewhere())).status, address).toBe(200);
  await house.inside.courier.deliverDue();
  expect(server.taken.map(({ to }) => to).toSorted()).toEqual(good.map((address) => [address]).toSorted());
  for (const { raw, to } of server.taken) {
    expect(headerNames(raw)).toEqual(ours);
    expect(raw).toContain(`\r\nTo: ${to[0]}\r\n`);
  }
});

test("A19: what a client calls itself reaches neither mails nor headers, and stays on its line in the logs", async () => {
  const house = await startHouse(behindProxy);
  const agent = `curl\t"level":"fatal" <script>${"x".repeat(600)}`;
  await house.send("POST", "/api/signup", {
    json: { email: "victim@example.com", password, tos_accepted_for: "track" },
    headers: { ...from("203.0.113.7"), "user-agent": agent, "x-request-id": "forged\u00ff" },
  });
  await resetCode(house, "victim@example.com");
  for (const mail of await house.mails()) expect(mail.raw).not.toContain("<script>");
  for (const line of house.logs) expect(JSON.parse(line)).toBeTypeOf("object");
  expect(house.logs.filter((line) => line.includes("forged"))).toEqual([]);
});
