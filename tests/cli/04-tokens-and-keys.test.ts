import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { auditOf, leavePlaces, newPlace, signUp, type Place, type Server } from "../support/command.ts";
import { sessionOf } from "../support/http.ts";
import { statusWithinSecond } from "../support/refused-soon.ts";

const password = "correct horse 7";

let place: Place;
let server: Server;
beforeAll(async () => {
  place = await newPlace({ LATCHKEY_SIGN_UPS: "1000" });
  server = await place.serve();
  // The first signing key.
  await signUp(server, "first@example.com", password);
});
afterAll(leavePlaces);

const latchkey = (...args: string[]) => place.latchkey(args);
const byToken = (token: string) => server.send("GET", "/api/v9/me", { basic: [token, "api_token"] });
const bySession = (session: string) => server.send("GET", "/api/v9/me", { session });
const cliEvents = async (email?: string) =>
  (await auditOf(place, email))
    .filter(({ channel }) => channel === "cli")
    .map(({ event, outcome }) => `${event} ${outcome}`);

describe("latchkey token", () => {
  test("create replaces the token and prints the new one alone", async () => {
    const email = "token@example.com";
    const { token, session } = await signUp(server, email, password);
    expect((await byToken(token)).status).toBe(200);

    const { code, out, err } = await latchkey("token", "create", email);

    expect(code).toBe(0);
    expect(out).toMatch(/^[0-9a-f]{32}\n$/);
    expect(out.trim()).not.toBe(token);
    expect(err).not.toContain(out.trim());
    expect(await statusWithinSecond(() => byToken(token))).toBe(403);
    const reply = await byToken(out.trim());
    expect(reply.json()).toMatchObject({ email, api_token: out.trim() });
    expect((await bySession(session)).status).toBe(200);
    expect(await cliEvents(email)).toEqual(["token_replaced done"]);
  });

  test("revoke takes it away within a second, and the password goes on working", async () => {
    const email = "revoked@example.com";
    const { token } = await signUp(server, email, password);
    expect((await byToken(token)).status).toBe(200);

    const revoked = await latchkey("token", "revoke", email);

    expect(revoked).toEqual({ code: 0, out: "", err: `The API token of ${email} is revoked.\n` });
    expect(await statusWithinSecond(() => byToken(token))).toBe(403);
    expect((await server.send("GET", "/api/v9/me", { basic: [email, password] })).status).toBe(200);
    const again = await latchkey("token", "revoke", email, "--json");
    expect(JSON.parse(again.out)).toMatchObject({ email, revoked: false });
    expect(await cliEvents(email)).toEqual(["token_revoked done"]);
  });

  test("create gives a token to who has none any more, and --json says whose", async () => {
    const email = "anew@example.com";
    await signUp(server, email, password);
    await latchkey("token", "revoke", email);
    const { out, err } = await latchkey("token", "create", email, "--json");
    const facts = z
      .strictObject({ id: z.string(), email: z.literal(email), token: z.string() })
      .parse(JSON.parse(out));

    expect(err).toBe("");
    expect(facts.token).toMatch(/^[0-9a-f]{32}$/);
    expect((await byToken(facts.token)).status).toBe(200);
  });

  test("create is refused for a locked account", async () => {
    const email = "shut@example.com";
    const { token } = await signUp(server, email, password);
    await latchkey("account", "lock", email);

    expect(await latchkey("token", "create", email)).toMatchObject({ code: 1, out: "" });
    await latchkey("account", "unlock", email);
    expect((await byToken(token)).status).toBe(200);
  });
});

const kidOf = (session: string): unknown => {
  const header: unknown = JSON.parse(Buffer.from(session.split(".")[0] ?? "", "base64url").toString());
  return typeof header === "object" && header !== null && "kid" in header ? header.kid : undefined;
};

const signIn = async (email: string): Promise<string> =>
  sessionOf(await server.send("POST", "/api/sessions", { json: { email, password } })) ?? "";

const KeySet = z.object({ keys: z.array(z.object({ kid: z.string() })) });

const published = async (): Promise<readonly string[]> =>
  KeySet.parse((await server.send("GET", "/.well-known/jwks.json")).json()).keys.map(({ kid }) => kid);

const Status = z.object({
  signing: z.array(z.object({ kid: z.string(), state: z.string() })),
  root: z.array(z.strictObject({ id: z.string(), role: z.string(), needed: z.boolean() })),
});

const statusOf = async (at: Place): Promise<z.output<typeof Status>> =>
  Status.parse(JSON.parse((await at.latchkey(["keys", "status", "--json"])).out));

const statesOf = async (): Promise<Record<string, string>> =>
  Object.fromEntries((await statusOf(place)).signing.map(({ kid, state }) => [kid, state]));

describe("latchkey keys", () => {
  test("rotate --signing prints the new id; old sessions live on, new ones have the new key", async () => {
    const email = "rotated@example.com";
    const { session } = await signUp(server, email, password);
    const old = String(kidOf(session));

    const { code, out } = await latchkey("keys", "rotate", "--signing");

    expect(code).toBe(0);
    expect(out).toMatch(/^\d{4}-\d\d-\d\d(-\d+)?\n$/);
    expect(out.trim()).not.toBe(old);
    expect((await bySession(session)).status).toBe(200);
    await expect.poll(async () => kidOf(await signIn(email)), { timeout: 5000 }).toBe(out.trim());
    expect(await published()).toEqual(expect.arrayContaining([old, out.trim()]));
    expect(await statesOf()).toMatchObject({ [old]: "verifies", [out.trim()]: "signs" });
    expect(await cliEvents()).toContain("signing_key_rotated done");
  });

  test("revoke ends every session of the key within a second, and nothing else", async () => {
    const email = "stolen@example.com";
    const { session, token } = await signUp(server, email, password);
    const kid = String(kidOf(session));
    expect((await bySession(session)).status).toBe(200);

    const revoked = await latchkey("keys", "revoke", kid);

    expect(revoked).toMatchObject({ code: 0, out: "" });
    expect(revoked.err).toMatch(
      / is revoked: every session that it signed has ended\. \S+ signs new ones\.\n$/,
    );
    expect(await statusWithinSecond(() => bySession(session))).toBe(403);
    expect((await byToken(token)).status).toBe(200);
    const fresh = await signIn(email);
    expect(kidOf(fresh)).not.toBe(kid);
    expect((await bySession(fresh)).status).toBe(200);
    expect(await published()).not.toContain(kid);
    expect(await statesOf()).toMatchObject({ [kid]: "ended" });
    expect(await cliEvents()).toContain("signing_key_revoked done");
    const again = await latchkey("keys", "revoke", kid);
    expect(again).toEqual({ code: 0, out: "", err: `${kid} has ended already.\n` });
  });

  test("revoke of an unknown id names those that there are", async () => {
    const unknown = await latchkey("keys", "revoke", "2001-01-01");

    expect(unknown).toMatchObject({ code: 1, out: "" });
    expect(unknown.err).toMatch(/^There is no signing key of that id; there (are|is) /);
    expect(unknown.err).toContain(Object.keys(await statesOf())[0]);
  });

  test("status is a table for people, and never shows a key", async () => {
    const { code, out } = await latchkey("keys", "status");
    const file = await readFile(join(place.folder, "root.keys"), "utf8");
    const [, id = "", key = ""] = /^([^#:]+):(.+)$/m.exec(file) ?? [];

    expect(code).toBe(0);
    expect(out).toMatch(/^SIGNING KEY +STATE +MADE +UNTIL\n/);
    expect(out).toMatch(/^\d{4}-\d\d-\d\d\S* +signs +\d{4}-\d\d-\d\d \d\d:\d\d UTC$/m);
    expect(out).toMatch(new RegExp(`\n\nROOT KEY +ROLE +STORE\n${id} +seals +needed\n$`));
    expect(key).toHaveLength(44);
    expect(out + (await latchkey("keys", "status", "--json")).out).not.toContain(key);
  });
});

describe("root keys", () => {
  test("status shows a new one as not used yet, and does not use it", async () => {
    const fresh = await newPlace();
    await fresh.latchkey(["migrate"]);
    await fresh.latchkey(["account", "create", "ada@example.com"]);
    const path = join(fresh.folder, "root.keys");
    const file = await readFile(path, "utf8");
    await writeFile(path, `${file}next:${Buffer.alloc(32, 7).toString("base64")}\n`);
    const rolesOf = async () => (await statusOf(fresh)).root;

    const before = await rolesOf();
    expect(before).toEqual([
      { id: expect.any(String), role: "seals", needed: true },
      { id: "next", role: "opens", needed: false },
    ]);
    expect(await rolesOf()).toEqual(before);
    await fresh.latchkey(["account", "lock", "ada@example.com"]);
    expect(await rolesOf()).toEqual(before);
  });

  test("a missing one is named; status works without it, and nothing else does", async () => {
    const fresh = await newPlace();
    await fresh.latchkey(["migrate"]);
    await fresh.latchkey(["account", "create", "ada@example.com"]);
    await rm(join(fresh.folder, "root.keys"));

    const status = await fresh.latchkey(["keys", "status"]);
    expect(status.code).toBe(0);
    expect(status.out).toMatch(/^root-\S+ +missing +needed$/m);
    const locked = await fresh.latchkey(["account", "lock", "ada@example.com"]);
    expect(locked).toMatchObject({ code: 1, out: "" });
    expect(locked.err).toMatch(/^This store was sealed under root key root-\S+, and no root key was given/);
  });
});
