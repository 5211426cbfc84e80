import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import type { Sent } from "../support/http.ts";
import { codeIn } from "../support/mails.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

const problem = { accept: "application/problem+json" };
const me = (sent: Sent, of = house) => of.send("GET", "/api/me", sent);
const tokenSent = async (person: Person): Promise<Sent> => ({
  basic: [await house.tokenOf(person), "api_token"],
});

describe("GET /api/me", () => {
  test("says what the account says of its owner, by cookie and by password", async () => {
    const { email, password, session } = await house.person("Ada.Lovelace@Example.com");
    const account = {
      success: true,
      email: "Ada.Lovelace@example.com",
      email_verified: false,
      pending_email: null,
      display_name: "Ada.Lovelace",
      timezone: "UTC",
      created_at: new Date(house.clock.now()).toISOString(),
      has_token: true,
    };

    for (const sent of [{ session }, { basic: [email, password] }] satisfies Sent[]) {
      const reply = await me(sent);
      expect([reply.status, reply.json(), reply.cookies]).toEqual([200, account, []]);
    }
  });

  test("begins with success, as every good answer of the Accounts API does", async () => {
    const { session } = await house.person();

    expect((await me({ session })).text).toMatch(/^\{"success":true,/);
  });

  test("knows at once what was changed elsewhere", async () => {
    const person = await house.person();
    const { session, email } = person;
    const code = codeIn(await house.mailTo(email));
    await house.send("POST", `/api/me/email_verification/confirm/${code}`, { session });
    await house.send("PUT", "/api/v9/me", {
      session,
      json: { fullname: "Ada King", timezone: "Asia/Tokyo" },
    });
    const { id } = await accountOf(email);
    await house.inside.accounts.use.revokeToken(id, { channel: "cli", peer: {} });

    expect((await me({ session })).json()).toMatchObject({
      email_verified: true,
      display_name: "Ada King",
      timezone: "Asia/Tokyo",
      has_token: false,
    });
  });

  test("shows nothing of the token, the password, or the numbers that the server counts by", async () => {
    const person = await house.person();

    const { text } = await me({ session: person.session });

    expect(text).not.toContain(await house.tokenOf(person));
    expect(text).not.toMatch(/argon2|"id"|hash|credential/i);
  });
});

const accountOf = async (email: string) => {
  const account = await house.inside.accounts.use.findAccount(email);
  if (account === undefined || account === "malformed") throw new Error(`No account of ${email}`);
  return account;
};

describe.each([
  ["GET", "/api/me"],
  ["GET", "/api/me/sessions"],
  ["DELETE", "/api/me/sessions"],
  ["DELETE", "/api/me/sessions/0123456789abcdef0123456789abcdef"],
  ["GET", "/api/me/audit"],
  ["POST", "/api/me/email_change/request"],
  ["DELETE", "/api/me/email_change"],
])("%s %s", (method, path) => {
  test("refuses an API token, which may be in more hands than its owner's", async () => {
    const person = await house.person();
    const json =
      method === "POST" ? { email: "moved@example.com", current_password: person.password } : undefined;

    const reply = await house.send(method, path, { ...(await tokenSent(person)), json, headers: problem });

    expect([reply.status, reply.cookies]).toEqual([403, []]);
    expect(reply.json()).toMatchObject({ code: "password_needed" });
    expect((await me({ session: person.session })).json()).toMatchObject({ pending_email: null });
  });

  test("refuses nobody with 401, and whoever is wrong with 403", async () => {
    const { email } = await house.person();

    expect((await house.send(method, path)).status).toBe(401);
    expect((await house.send(method, path, { basic: [email, "not the password"] })).status).toBe(403);
    expect((await house.send(method, path, { session: "x" })).status).toBe(403);
  });
});

describe("POST /api/me/close_account/track", () => {
  const close = (sent: Sent, of = house) => of.send("POST", "/api/me/close_account/track", sent);
  const opens = async ({ session }: Person) => (await me({ session })).status === 200;

  test("takes the current password along, and says until when it can be undone", async () => {
    const { session, password } = await house.person();

    const reply = await close({ session, json: { current_password: password } });

    const until = new Date(house.clock.now() + 14 * 86_400_000).toISOString();
    expect([reply.status, reply.json()]).toEqual([200, { success: true, undo_until: until }]);
    expect((await me({ session })).status).toBe(403);
  });

  test("with a wrong one closes nothing, mails nothing and leaves the cookie", async () => {
    const person = await house.person();
    const mails = (await house.mails()).length;

    const reply = await close({
      session: person.session,
      json: { current_password: "not the password" },
      headers: problem,
    });

    expect([reply.status, reply.cookies]).toEqual([400, []]);
    expect(reply.json()).toMatchObject({
      code: "input_invalid",
      errors: [{ field: "current_password", rule: "wrong", message: "Current password is not valid" }],
    });
    expect(await opens(person)).toBe(true);
    expect(await house.mails()).toHaveLength(mails);
  });

  test.each([
    ["a password of the wrong type", { current_password: 7 }, "current_password must be a string"],
    ["a field that nobody knows", { password: "x" }, "password is not a known field"],
    ["a list", [], "body must be a JSON object"],
    ["null", null, "body must be a JSON object"],
  ])("with %s closes nothing", async (_, json, sentence) => {
    const person = await house.person();

    const reply = await close({ session: person.session, json });

    expect([reply.status, reply.json(), reply.cookies]).toEqual([400, sentence, []]);
    expect(await opens(person)).toBe(true);
  });

  test.each([
    ["an empty body", {}],
    ["an empty object", { json: {} }],
  ])("with %s asks for no password", async (_, sent) => {
    const { session } = await house.person();

    expect((await close({ session, ...sent })).status).toBe(200);
  });

  test("says null where there is nothing to undo", async () => {
    const harsh = await startHouse({ LATCHKEY_CLOSE_GRACE_DAYS: "0" });
    const { session } = await harsh.person();

    expect((await close({ session }, harsh)).json()).toEqual({ success: true, undo_until: null });
  });
});
