import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { all, allChannels, passwordChannels, statuses, tokenChannels } from "../support/channels.ts";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import { sessionOf, type Sent } from "../support/http.ts";
import { codeIn } from "../support/mails.ts";
import { fieldsOf } from "../support/shapes.ts";

let house: TestHouse;
// For each test: what the jobs erase is then what the test has closed.
beforeEach(async () => {
  house = await startHouse(roomy);
});
afterEach(stopHouses);

const day = 86_400_000;
const closed = "Your account was closed";
const cleared = "__Secure-accounts-session=; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=0";

const close = (sent: Sent) => house.send("POST", "/api/me/close_account/track", sent);
const newPassword = "a river taken back";
const undo = (code: string, to = house) =>
  to.send("POST", `/api/me/close_account/undo/${code}`, { json: { password: newPassword } });
const keysOf = async (person: Person, of = house) => ({ ...person, token: await of.tokenOf(person) });
const signUp = (email: string, to = house) =>
  to.send("POST", "/api/signup", {
    json: { email, password: "somebody else's river", tos_accepted_for: "track" },
  });

/** Everything else that a credential could do. */
const deeds = async (sent: Sent): Promise<readonly number[]> => {
  const found: number[] = [];
  for (const [method, path] of [
    ["POST", "/api/v9/me/reset_token"],
    ["POST", "/api/v9/me/close_account"],
    ["POST", "/api/me/close_account/track"],
    ["PUT", "/api/v9/me"],
    ["DELETE", "/api/sessions"],
  ] as const) {
    found.push((await house.send(method, path, sent)).status);
  }
  return found;
};

describe("POST /api/me/close_account/track", () => {
  test.for(["cookie", "password"] as const)(
    "by %s ends the account on every channel at once",
    async (way) => {
      const person = await house.person();
      const bystander = await keysOf(await house.person());
      const keys = await keysOf(person);
      // Cached before, so that the caches are part of what must forget.
      expect(await statuses(house, allChannels, keys)).toEqual(all(allChannels, 200));

      const reply = await close(
        way === "cookie" ? { session: person.session } : { basic: [person.email, person.password] },
      );

      expect(reply.status).toBe(200);
      expect(reply.json()).toEqual({
        success: true,
        undo_until: new Date(house.clock.now() + 14 * day).toISOString(),
      });
      expect(reply.cookies).toEqual([cleared]);
      expect(await statuses(house, allChannels, keys)).toEqual(all(allChannels, 403));
      for (const sent of [
        { session: keys.session },
        { basic: [keys.email, keys.password] },
        { basic: [keys.token, "api_token"] },
      ] satisfies Sent[]) {
        expect(await deeds(sent)).toEqual([403, 403, 403, 403, 403]);
      }
      expect(await statuses(house, allChannels, bystander)).toEqual(all(allChannels, 200));
    },
  );

  test("mails once how to take it back", async () => {
    const { email, session } = await house.person();
    await close({ session });

    const mails = (await house.mails()).filter((mail) => mail.to === email && mail.subject === closed);

    expect(mails).toHaveLength(1);
    const code = codeIn(mails[0]);
    const { origin } = house.config.origin;
    const lines = mails[0]?.text.split("\n");
    expect(lines).toContain(code);
    expect(lines).toContain(`${origin}/undo-close#${code}`);
    expect(lines).toContain(
      `curl -X POST ${origin}/api/me/close_account/undo/${code} -H 'Content-Type: application/json' -d '{"password":"…"}'`,
    );
    expect(house.logs.join("\n")).not.toContain(code);
  });

  test.for([
    ["a token", 403],
    ["nothing", 401],
    ["a wrong password", 403],
  ] as const)("by %s closes nothing", async ([way, status]) => {
    const person = await house.person();
    const keys = await keysOf(person);
    const sent: Readonly<Record<typeof way, Sent>> = {
      "a token": { basic: [keys.token, "api_token"] },
      nothing: {},
      "a wrong password": { basic: [person.email, "wrong"] },
    };

    const reply = await close(sent[way]);

    expect(reply.status).toBe(status);
    expect(reply.cookies).toEqual([]);
    expect(await statuses(house, allChannels, keys)).toEqual(all(allChannels, 200));
    expect(await house.mailTo(person.email, closed)).toBeUndefined();
  });

  test("keeps the address, so that nobody else can have it meanwhile", async () => {
    const { email, session } = await house.person();
    await close({ session });

    const reply = await signUp(email);

    expect([reply.status, reply.json(), reply.cookies]).toEqual([
      400,
      "user with this email already exists",
      [],
    ]);
  });

  test("lets no password be reset, and says so to nobody", async () => {
    const { email, session } = await house.person();
    house.clock.advance(1);
    await house.send("POST", "/api/me/password_reset/request", { json: { email } });
    const before = codeIn(await house.mailTo(email, "Reset your password"));
    await close({ session });
    const mails = (await house.mails()).length;

    const reply = await house.send("POST", "/api/me/password_reset/request", { json: { email } });
    const confirmed = await house.send("POST", `/api/me/password_reset/confirm/${before}`, {
      json: { password: "a new quiet river" },
    });

    expect([reply.status, reply.json()]).toEqual([200, { success: true }]);
    expect([confirmed.status, confirmed.cookies]).toEqual([400, []]);
    expect(await house.mails()).toHaveLength(mails);
  });

  test("is not there for other products", async () => {
    const { session } = await house.person();

    expect((await house.send("POST", "/api/me/close_account/plan", { session })).status).toBe(404);
    expect((await house.send("GET", "/api/v9/me", { session })).status).toBe(200);
  });
});

describe("POST /api/v9/me/close_account", () => {
  test("does the same, and answers with a string", async () => {
    const person = await house.person();
    const keys = await keysOf(person);

    const reply = await house.send("POST", "/api/v9/me/close_account", {
      basic: [person.email, person.password],
    });

    expect([reply.status, typeof reply.json()]).toEqual([200, "string"]);
    expect(await statuses(house, allChannels, keys)).toEqual(all(allChannels, 403));
    expect(codeIn(await house.mailTo(person.email, closed))).toHaveLength(26);
  });
});

describe("POST /api/me/close_account/undo/<code>", () => {
  test("brings the account back under a new password and token, without its sessions", async () => {
    const person = await house.person();
    const keys = await keysOf(person);
    const before = fieldsOf((await house.send("GET", "/api/v9/me", { session: keys.session })).json());
    await close({ session: person.session });
    const code = codeIn(await house.mailTo(person.email, closed));
    house.clock.advance(13 * day);

    const reply = await undo(code);

    expect([reply.status, reply.json(), reply.cookies]).toEqual([
      200,
      { success: true, token_replaced: true },
      [],
    ]);
    expect(await statuses(house, allChannels, keys)).toEqual(all(allChannels, 403));
    const basic = [person.email, newPassword] as const;
    const after = fieldsOf((await house.send("GET", "/api/v9/me", { basic })).json());
    for (const field of ["id", "toggl_accounts_id", "default_workspace_id", "fullname"]) {
      expect(after[field], field).toBe(before[field]);
    }
    const now = { ...keys, password: newPassword, token: String(after["api_token"]) };
    expect(now.token).not.toBe(keys.token);
    house.clock.advance(30 * day);
    await house.inside.timetable.runDue();
    const open = [...passwordChannels, ...tokenChannels];
    expect(await statuses(house, open, now)).toEqual(all(open, 200));
  });

  test("takes a code once", async () => {
    const { email, session } = await house.person();
    await close({ session });
    const code = codeIn(await house.mailTo(email, closed));
    expect((await undo(code)).status).toBe(200);

    await close({ basic: [email, newPassword] });

    expect((await undo(code)).status).toBe(400);
    expect((await house.send("GET", "/api/v9/me", { basic: [email, newPassword] })).status).toBe(403);
  });

  test("brings back none of the codes that were mailed before", async () => {
    const { email, session } = await house.person();
    const verify = codeIn(await house.mailTo(email));
    house.clock.advance(1);
    await house.send("POST", "/api/me/password_reset/request", { json: { email } });
    const reset = codeIn(await house.mailTo(email, "Reset your password"));
    await close({ session });
    expect((await undo(codeIn(await house.mailTo(email, closed)))).status).toBe(200);

    const confirmed = await house.send("POST", `/api/me/password_reset/confirm/${reset}`, {
      json: { password: "a new quiet river" },
    });
    const verified = await house.send("POST", `/api/me/email_verification/confirm/${verify}`);

    expect([confirmed.status, verified.status]).toEqual([400, 400]);
  });

  test.for([
    ["no body", undefined, "password is required"],
    ["no password", {}, "password is required"],
    ["a weak password", { password: "short" }, "password must have at least 8 characters"],
    ["a field too many", { password: newPassword, email: "a@example.com" }, "email is not a known field"],
  ] satisfies [string, unknown, string][])("refuses %s", async ([, json, sentence]) => {
    const reply = await house.send("POST", "/api/me/close_account/undo/0123456789abcdefghjkmnpqrs", { json });

    expect([reply.status, reply.json()]).toEqual([400, sentence]);
  });

  test.for([
    ["a code that was never mailed", "0123456789abcdefghjkmnpqrs"],
    ["something else than a code", "undo"],
  ] satisfies [string, string][])("refuses %s", async ([, code]) => {
    const reply = await undo(code);

    expect([reply.status, reply.json()]).toEqual([
      400,
      "The code is not valid or has expired. Request a new one.",
    ]);
  });

  test("is not what GET does", async () => {
    const { email, password, session } = await house.person();
    await close({ session });
    const code = codeIn(await house.mailTo(email, closed));

    expect((await house.send("GET", `/api/me/close_account/undo/${code}`)).status).toBe(405);
    expect((await house.send("GET", "/api/v9/me", { basic: [email, password] })).status).toBe(403);
    expect((await undo(code)).status).toBe(200);
  });
});

describe("when the grace period is over", () => {
  test("the job erases the account, and the address is free", async () => {
    const person = await house.person();
    const keys = await keysOf(person);
    await close({ session: person.session });
    const code = codeIn(await house.mailTo(person.email, closed));

    house.clock.advance(14 * day - 1);
    await house.inside.timetable.runDue();
    expect((await signUp(person.email)).status).toBe(400);
    house.clock.advance(1);
    expect((await undo(code)).status).toBe(400);
    house.clock.advance(3_600_000);
    await house.inside.timetable.runDue();

    const reply = await signUp(person.email);
    expect(reply.status).toBe(200);
    expect(await statuses(house, allChannels, keys)).toEqual(all(allChannels, 403));
    const me = fieldsOf((await house.send("GET", "/api/v9/me", { session: sessionOf(reply) })).json());
    expect(me["api_token"]).not.toBe(keys.token);
  });

  test("without a grace period the account is gone at once, and the mail says so", async () => {
    const strict = await startHouse({ LATCHKEY_CLOSE_GRACE_DAYS: "0" });
    const person = await strict.person();
    const keys = await keysOf(person, strict);

    const reply = await strict.send("POST", "/api/me/close_account/track", { session: person.session });

    expect([reply.status, reply.cookies]).toEqual([200, [cleared]]);
    expect(await statuses(strict, allChannels, keys)).toEqual(all(allChannels, 403));
    const subjects = (await strict.mails()).map(({ subject }) => subject);
    expect(subjects.toSorted()).toEqual(["Confirm your e-mail address", "Your account was erased"]);
    expect((await signUp(person.email, strict)).status).toBe(200);
  });
});
