import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { auditOf, leavePlaces, newPlace, signUp, type Place, type Server } from "../support/command.ts";
import { sessionOf } from "../support/http.ts";
import { codeIn, type Mail } from "../support/mails.ts";
import { statusWithinSecond } from "../support/refused-soon.ts";

const password = "correct horse 7";

let place: Place;
let server: Server;
beforeAll(async () => {
  place = await newPlace({ LATCHKEY_SIGN_UPS: "1000" });
  server = await place.serve();
});
afterAll(leavePlaces);

const latchkey = (...args: string[]) => place.latchkey(args);
const create = (email: string, ...options: string[]) =>
  place.latchkey(["account", "create", email, "--password-stdin", ...options], { input: `${password}\n` });
const me = (user: string, pass: string) => server.send("GET", "/api/v9/me", { basic: [user, pass] });
const bySession = (session: string) => server.send("GET", "/api/v9/me", { session });

const mailsTo = async (address: string): Promise<readonly Mail[]> =>
  (await place.mails()).filter(({ to }) => to === address);

const waitForMail = async (address: string): Promise<Mail> => {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const [mail] = await mailsTo(address);
    if (mail) return mail;
    if (performance.now() > deadline) throw new Error(`No mail came to ${address}.`);
    await wait(50);
  }
};

describe("latchkey account lock and unlock", () => {
  test("within a second nothing of a locked account works at a running server", async () => {
    const email = "locked@example.com";
    const { session, token } = await signUp(server, email, password);
    expect((await bySession(session)).status).toBe(200);
    expect((await me(email, password)).status).toBe(200);
    expect((await me(token, "api_token")).status).toBe(200);

    const locked = await latchkey("account", "lock", email);

    expect(locked).toEqual({
      code: 0,
      out: "",
      err: `${email} is locked: its sessions have ended, and none of its credentials works.\n`,
    });
    expect(await statusWithinSecond(() => bySession(session))).toBe(403);
    expect(await statusWithinSecond(() => me(email, password))).toBe(403);
    expect(await statusWithinSecond(() => me(token, "api_token"))).toBe(403);

    const unlocked = await latchkey("account", "unlock", email);

    expect(unlocked).toMatchObject({ code: 0, out: "" });
    expect((await me(email, password)).status).toBe(200);
    expect((await me(token, "api_token")).status).toBe(200);
    expect((await bySession(session)).status).toBe(403);
    const events = (await auditOf(place, email))
      .filter(({ channel }) => channel === "cli")
      .map(({ event }) => event);
    expect(events).toEqual(["account_locked", "account_unlocked"]);
  });

  test("say so when there is nothing to do, and do nothing", async () => {
    const email = "twice@example.com";
    await create(email);
    await latchkey("account", "lock", email);
    const again = await latchkey("account", "lock", email);
    await latchkey("account", "unlock", email);
    const open = await latchkey("account", "unlock", email);

    expect(again).toMatchObject({
      code: 0,
      out: "",
      err: expect.stringMatching(/ is locked already, since /),
    });
    expect(open).toEqual({ code: 0, out: "", err: `${email} is not locked.\n` });
    expect((await auditOf(place, email)).map(({ event }) => event)).toEqual([
      "sign_up",
      "account_locked",
      "account_unlocked",
    ]);
  });

  test("take the public id too, and answer in JSON", async () => {
    const { out } = await create("by-id@example.com");
    const locked = await latchkey("account", "lock", out.trim(), "--json");

    expect(locked).toMatchObject({ code: 0, err: "" });
    expect(JSON.parse(locked.out)).toEqual({ id: out.trim(), email: "by-id@example.com", locked: true });
    expect((await me("by-id@example.com", password)).status).toBe(403);
  });
});

describe("latchkey account close", () => {
  test("closes as the owner would: refused at once, and the mail takes it back", async () => {
    const email = "closed@example.com";
    await create(email);
    expect((await me(email, password)).status).toBe(200);

    const closed = await latchkey("account", "close", email);

    expect(closed).toMatchObject({ code: 0, out: "" });
    expect(closed.err).toMatch(
      /^closed@example\.com is closed; it will be erased on \d{4}-\d\d-\d\d \d\d:\d\d UTC\./,
    );
    expect(await statusWithinSecond(() => me(email, password))).toBe(403);
    for (const args of [
      ["account", "reset-password"],
      ["token", "create"],
    ]) {
      expect(await latchkey(...args, email)).toMatchObject({
        code: 1,
        out: "",
        err: expect.stringMatching(/ is closed: /),
      });
    }
    const mail = await waitForMail(email);
    expect(
      (
        await server.send("POST", `/api/me/close_account/undo/${codeIn(mail)}`, {
          json: { password: "a river taken back" },
        })
      ).status,
    ).toBe(200);
    expect((await me(email, "a river taken back")).status).toBe(200);
    expect(await auditOf(place, email)).toContainEqual(
      expect.objectContaining({ event: "account_closed", channel: "cli" }),
    );
  });

  test("a second time changes nothing and mails nothing", async () => {
    const email = "closed-twice@example.com";
    await create(email);
    const first = await latchkey("account", "close", email, "--json");
    const second = await latchkey("account", "close", email, "--json");

    expect(JSON.parse(second.out)).toEqual(JSON.parse(first.out));
    await waitForMail(email);
    expect(await mailsTo(email)).toHaveLength(1);
    expect((await auditOf(place, email)).filter(({ event }) => event === "account_closed")).toHaveLength(1);
  });

  test("erases at once when the setting says so", async () => {
    const email = "erased@example.com";
    await create(email);
    const closed = await place.latchkey(["account", "close", email], {
      settings: { LATCHKEY_CLOSE_GRACE_DAYS: "0" },
    });

    expect(closed).toEqual({ code: 0, out: "", err: `${email} is closed and erased.\n` });
    expect(await latchkey("account", "lock", email)).toMatchObject({
      code: 1,
      err: `There is no account ${email}.\n`,
    });
  });
});

describe("latchkey account reset-password", () => {
  test("prints a code alone with which the owner sets a new password, once, and mails nothing", async () => {
    const email = "lost@example.com";
    const { session } = await signUp(server, email, password);
    const mailed = await waitForMail(email);

    const { code, out, err } = await latchkey("account", "reset-password", email);

    expect(code).toBe(0);
    expect(out).toMatch(/^[0-9a-hjkmnp-tv-z]{26}\n$/);
    expect(err).toMatch(/^Valid for 30 minutes, once: /);
    expect(err).not.toContain(out.trim());
    expect(await mailsTo(email)).toEqual([mailed]);
    expect(await auditOf(place, email)).toContainEqual(
      expect.objectContaining({ event: "reset_requested", channel: "cli", outcome: "done" }),
    );
    expect((await bySession(session)).status).toBe(200);

    const confirm = () =>
      server.send("POST", `/api/me/password_reset/confirm/${out.trim()}`, {
        json: { password: "a new river at noon" },
      });
    const confirmed = await confirm();
    expect(confirmed.status).toBe(200);
    expect((await bySession(sessionOf(confirmed) ?? "")).status).toBe(200);
    expect((await me(email, password)).status).toBe(403);
    expect((await me(email, "a new river at noon")).status).toBe(200);
    expect((await bySession(session)).status).toBe(403);
    expect((await confirm()).status).toBe(400);
  });

  test("--json has the link and the end of the thirty minutes", async () => {
    await create("link@example.com");
    const before = Date.now();
    const { out } = await latchkey("account", "reset-password", "link@example.com", "--json");
    const facts = z
      .strictObject({
        id: z.string(),
        email: z.string(),
        code: z.string(),
        link: z.string(),
        expires_at: z.string(),
      })
      .parse(JSON.parse(out));

    expect(facts.link).toBe(`http://localhost:${place.settings["LATCHKEY_PORT"]}/reset#${facts.code}`);
    expect(Date.parse(facts.expires_at)).toBeGreaterThanOrEqual(before + 1_800_000);
    expect(Date.parse(facts.expires_at)).toBeLessThanOrEqual(Date.now() + 1_800_000);
  });

  test("is refused for a locked account, whose code would be refused as well", async () => {
    await create("shut@example.com");
    await latchkey("account", "lock", "shut@example.com");

    expect(await latchkey("account", "reset-password", "shut@example.com")).toEqual({
      code: 1,
      out: "",
      err: "shut@example.com is locked: unlock it first.\n",
    });
  });
});

test("every command that names an account says so when there is none", async () => {
  for (const name of [
    "account lock",
    "account unlock",
    "account close",
    "account reset-password",
    "token create",
  ]) {
    const unknown = await latchkey(...name.split(" "), "nobody@example.com");
    expect(unknown).toEqual({ code: 1, out: "", err: "There is no account nobody@example.com.\n" });
  }
  expect(await latchkey("token", "revoke", "not an address")).toEqual({
    code: 1,
    out: "",
    err: "Name the account by its e-mail address or its public id.\n",
  });
});
