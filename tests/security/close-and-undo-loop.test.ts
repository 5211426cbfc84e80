import { afterAll, beforeAll, expect, test } from "vitest";
import { hour } from "#kernel/clock.ts";
import {
  audited,
  behindProxy,
  confirmEmail,
  confirmReset,
  elsewhere,
  mailedCode,
  mailedDuring,
  resetCode,
  series,
  signIn,
  tally,
} from "../support/attacks.ts";
import { all, allChannels, statuses } from "../support/channels.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { sessionOf, type Sent } from "../support/http.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse({ ...behindProxy, LATCHKEY_SIGN_UPS: "1000", LATCHKEY_PASSWORD_TRIES: "100" });
});
afterAll(stopHouses);

let people = 0;
const owner = async () => {
  people += 1;
  const person = await house.person(`owner${people}@example.com`);
  await house.send(
    "POST",
    `/api/me/email_verification/confirm/${await mailedCode(house, person.email, "verify")}`,
    { session: person.session },
  );
  return { ...person, token: await house.tokenOf(person) };
};

const undo = (code: string, password: string) =>
  house.send("POST", `/api/me/close_account/undo/${code}`, { json: { password }, headers: elsewhere() });
const close = (sent: Sent) => house.send("POST", "/api/v9/me/close_account", sent);
const undoCode = (email: string): Promise<string> => {
  house.clock.advance(1);
  return mailedCode(house, email, "closed");
};

test.for(["token", "password", "session"] as const)(
  "whoever closes an account with a stolen %s does not close it again after the owner took it back",
  async (stolen) => {
    const person = await owner();
    const thief: Sent = {
      token: { basic: [person.token, "api_token"] as const },
      password: { basic: [person.email, person.password] as const },
      session: { session: person.session },
    }[stolen];
    expect((await close(thief)).status).toBe(200);
    const code = await undoCode(person.email);

    const mails = await mailedDuring(house, async () => {
      const undone = await undo(code, "a river taken back");
      expect(undone.json()).toEqual({ success: true, token_replaced: true });
      expect(undone.cookies).toEqual([]);
    });

    expect(tally(await series(5, () => close(thief)))).toEqual({ 403: 5 });
    expect(await statuses(house, allChannels, person)).toEqual(all(allChannels, 403));
    const entered = await signIn(house, person.email, "a river taken back", elsewhere());
    expect(entered.status).toBe(200);
    const keys = { ...person, password: "a river taken back", session: sessionOf(entered) ?? "" };
    const token = await house.tokenOf(keys);
    expect(token).not.toBe(person.token);
    expect(await statuses(house, allChannels, { ...keys, token })).toEqual(all(allChannels, 200));
    expect(mails.map(({ to, subject }) => [to, subject])).toEqual([
      [person.email, "Your account was taken back"],
    ]);
    expect(mails[0]?.text).toContain("the API token was replaced");
    expect(await audited(house, "token_replaced", person.email)).toBe(1);
  },
);

test("an account is not taken back without a new password, and the code stays", async () => {
  const person = await owner();
  await close({ session: person.session });
  const code = await undoCode(person.email);
  const path = `/api/me/close_account/undo/${code}`;

  const bare = await house.send("POST", path);
  const weak = await undo(code, "password1");
  const own = await undo(code, person.email);

  expect([bare.status, bare.json()]).toEqual([400, "password is required"]);
  expect([weak.status, weak.json()]).toEqual([400, "password is one of the most common passwords"]);
  expect([own.status, own.json()]).toEqual([400, "password must not be made from your email address"]);
  expect((await undo(code, "a river taken back")).status).toBe(200);
});

test("a loop of closing and taking back ends before the mailbox is full, and leaves the account open", async () => {
  const person = await owner();
  let password = person.password;
  const loop = () =>
    series(8, async (round) => {
      const closed = await close({ basic: [person.email, password], headers: elsewhere() });
      if (closed.status !== 200) return closed;
      password = `the river of round ${round}`;
      expect((await undo(await undoCode(person.email), password)).status).toBe(200);
      return closed;
    });

  const mails = await mailedDuring(house, async () => {
    expect(tally(await loop())).toEqual({ 200: 5, 429: 3 });
  });

  expect(mails).toHaveLength(10);
  expect((await signIn(house, person.email, password, elsewhere())).status).toBe(200);
  house.clock.advance(hour);
  expect((await close({ basic: [person.email, password], headers: elsewhere() })).status).toBe(200);
});

test("a thief's token is dead after the owner's reset, unless the owner says that it is theirs", async () => {
  const [robbed, forgetful] = [await owner(), await owner()];
  const codes = [await resetCode(house, robbed.email), await resetCode(house, forgetful.email)] as const;

  const reset = await confirmReset(house, codes[0], "a river after the theft");
  const kept = await house.send("POST", `/api/me/password_reset/confirm/${codes[1]}`, {
    json: { password: "a river remembered", keep_token: true },
    headers: elsewhere(),
  });

  expect(reset.json()).toEqual({ success: true, token_replaced: true });
  expect(kept.json()).toEqual({ success: true, token_replaced: false });
  const byToken = async (token: string) =>
    (await house.send("GET", "/api/v9/me", { basic: [token, "api_token"] })).status;
  expect([await byToken(robbed.token), await byToken(forgetful.token)]).toEqual([403, 200]);
  const [told, toldKept] = [
    await house.mailTo(robbed.email, "Your password was changed"),
    await house.mailTo(forgetful.email, "Your password was changed"),
  ];
  expect(told?.text).toContain("the API token was replaced");
  expect(toldKept?.text).not.toContain("token");
});

test.for([
  ["token", "with the former token itself"],
  ["password", "with your email address and password"],
  ["session", "from a browser that is signed in"],
] as const)(
  "a token that is replaced by %s is told by mail, five times an hour at most",
  async ([way, how]) => {
    const person = await owner();
    let { token } = person;
    const replace = async () => {
      const sent: Sent = {
        token: { basic: [token, "api_token"] as const },
        password: { basic: [person.email, person.password] as const },
        session: { session: person.session },
      }[way];
      const reply = await house.send("POST", "/api/v9/me/reset_token", sent);
      token = String(reply.json());
      return reply;
    };

    const mails = await mailedDuring(house, async () => {
      expect(tally(await series(7, replace))).toEqual({ 200: 7 });
    });

    expect(new Set(mails.map(({ to, subject }) => `${to} ${subject}`))).toEqual(
      new Set([`${person.email} Your API token was replaced`]),
    );
    expect(mails).toHaveLength(5);
    for (const mail of mails) {
      expect(mail.text).toContain(how);
      expect(mail.raw).not.toContain(token);
    }
  },
);

test("a stranger's unconfirmed address is not flooded with mails about tokens", async () => {
  const person = await house.person("never-asked@example.com");
  const mails = await mailedDuring(house, () =>
    series(12, () => house.send("POST", "/api/v9/me/reset_token", { session: person.session })),
  );
  expect(mails).toHaveLength(5);
  // Of whoever reads them, one is enough to get in.
  expect((await confirmEmail(house, await mailedCode(house, person.email, "verify"))).status).toBe(200);
});
