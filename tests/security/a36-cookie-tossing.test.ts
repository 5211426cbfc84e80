import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import { sessionCookieName as name, sessionOf } from "../support/http.ts";
import { exchange, lines } from "../support/raw-http.ts";

let house: TestHouse;
let victim: Person;
let attacker: Person;
beforeAll(async () => {
  house = await startHouse({
    LATCHKEY_RATE: "1000000",
    LATCHKEY_BURST: "1000000",
    LATCHKEY_SIGN_UPS: "1000",
  });
  victim = await house.person();
  attacker = await house.person();
});
afterAll(stopHouses);

/** Whom the server takes the sender of these Cookie lines for, or the status of its refusal. The bytes go out as they are. */
const seen = async (
  ...cookies: readonly (string | Buffer)[]
): Promise<"the victim" | "the attacker" | number> => {
  const head = lines(
    "GET /api/v9/me HTTP/1.1",
    `Host: ${house.config.origin.host}`,
    ...cookies.map((cookie) => `Cookie: ${typeof cookie === "string" ? cookie : cookie.toString("latin1")}`),
  );
  const reply = await exchange(house.config.port, Buffer.from(head, "latin1"));
  if (reply.status !== 200) return reply.status;
  return reply.body.includes(victim.email) ? "the victim" : "the attacker";
};

/** A name as UTF-8, which is what a browser that lets it through would send. */
const tossed = (cookieName: string, session: string): Buffer =>
  Buffer.from(`${cookieName}=${session}`, "utf8");

const beside = (cookie: Buffer, session: string): Buffer =>
  Buffer.concat([cookie, Buffer.from(`; ${name}=${session}`)]);

test("A36 the cookie of its exact name is taken, among others of any kind", async () => {
  const mine = `${name}=${victim.session}`;
  expect(await seen(mine)).toBe("the victim");
  expect(await seen(`a=b; ${mine}; c=d`)).toBe("the victim");
  expect(await seen(`a=b;${mine};c`)).toBe("the victim");
  expect(await seen(`=; ;;x; "quoted"="yes"; ${mine}`)).toBe("the victim");
  expect(await seen("a=b", mine, "c=d")).toBe("the victim");
  expect(await seen(`big=${"x".repeat(8000)}; ${mine}`)).toBe("the victim");
});

test("A36 two cookies of the name are nobody's, in any order, equal or not, in one line or two", async () => {
  const mine = `${name}=${victim.session}`;
  const planted = `${name}=${attacker.session}`;
  for (const [first, second] of [
    [mine, planted],
    [planted, mine],
    [mine, mine],
    [planted, planted],
    [mine, `${name}=`],
    [`${name}=`, mine],
    [mine, `${name}=x`],
  ] as const) {
    expect(await seen(`${first}; ${second}`), `${first}; ${second}`).toBe(403);
    expect(await seen(first, second), `${first} and ${second}`).toBe(403);
    expect(await seen(`${first}; a=b; ${second}`)).toBe(403);
  }
});

describe("names that only look like it", () => {
  const lookAlikes: Readonly<Record<string, string>> = {
    "an en quad in front": `\u2000${name}`,
    "a no-break space in front": `\u00a0${name}`,
    "an ideographic space in front": `\u3000${name}`,
    "a next-line character in front": `\u0085${name}`,
    "a byte order mark in front": `\ufeff${name}`,
    "a zero-width space in front": `\u200b${name}`,
    "an en quad behind": `${name}\u2000`,
    "a blank before the equals sign": `${name} `,
    "small letters": name.toLowerCase(),
    capitals: name.toUpperCase(),
    "another case of the prefix": name.replace("Secure", "secure"),
    "a quoted name": `"${name}"`,
    "percent signs": name.replace("_", "%5F"),
    "the host prefix": name.replace("__Secure-", "__Host-"),
    "no prefix": name.replace("__Secure-", ""),
    "a dollar sign": `$${name}`,
    "an array": `${name}[]`,
    "an equals sign in front": `=${name}`,
  };

  test.each(Object.entries(lookAlikes))("A36 %s makes it another cookie", async (_, lookAlike) => {
    expect(await seen(tossed(lookAlike, attacker.session))).toBe(401);
    expect(await seen(beside(tossed(lookAlike, attacker.session), victim.session))).toBe("the victim");
    expect(await seen(`${name}=${victim.session}`, tossed(lookAlike, attacker.session))).toBe("the victim");
  });
});

test("A36 the legacy syntax and values that are no cookie octets are nobody's", async () => {
  const { session } = attacker;
  const strange: Readonly<Record<string, string>> = {
    "$Version in front": `$Version=1; ${name}=${session}; $Path=/`,
    "$Version behind": `${name}=${session}; $Version=1`,
    "$version in small letters": `$version="1"; ${name}=${session}`,
    "$Version alone": `$Version; ${name}=${session}`,
    quotes: `${name}="${session}"`,
    "one quote": `${name}="${session}`,
    "a comma list": `${name}=${session}, ${name}=${victim.session}`,
    "a comma": `${name}=${session},`,
    "a backslash": `${name}=${session}\\`,
    "a blank inside": `${name}=${session.slice(0, 9)} ${session.slice(9)}`,
    "8 kB": `${name}=${session}${"x".repeat(8000)}`,
    "8 kB in front": `${name}=${"x".repeat(8000)}.${session}`,
    nothing: `${name}=`,
    "an umlaut": `${name}=${session}\u00fc`,
  };
  for (const [what, header] of Object.entries(strange)) {
    expect(await seen(header), what).toBe(403);
    if (!header.includes("$")) continue;
    expect(await seen(header.replaceAll(session, victim.session)), what).toBe(403);
  }
});

test("A36 headers beyond all measure are refused as such", async () => {
  const pile = Array.from({ length: 400 }, (_, index) => `${"c".repeat(40)}${index}=1`).join("; ");
  expect([431, 403]).toContain(await seen(`${pile}; ${name}=${attacker.session}`));
});

test("A36 an ambiguous cookie ends no session, begins none, and writes nothing", async () => {
  const cookie = `${name}=${victim.session}; ${name}=${attacker.session}`;
  for (const [method, path, json] of [
    ["DELETE", "/api/sessions", undefined],
    ["PUT", "/api/v9/me", { fullname: "Tossed" }],
    ["POST", "/api/v9/me/reset_token", undefined],
    ["POST", "/api/v9/me/close_account", undefined],
    ["POST", "/api/me/close_account/track", undefined],
  ] as const) {
    const reply = await house.send(method, path, { headers: { cookie }, json });
    expect([reply.status, reply.cookies], `${method} ${path}`).toEqual([403, []]);
  }
  expect(await seen(`${name}=${victim.session}`)).toBe("the victim");
  expect(await seen(`${name}=${attacker.session}`)).toBe("the attacker");

  // With Basic beside it, whose word counts, the heap of cookies is cleared and no session is guessed from it.
  const { email, password } = victim;
  const out = await house.send("DELETE", "/api/sessions", { basic: [email, password], headers: { cookie } });
  expect([out.status, sessionOf(out)]).toEqual([200, ""]);
  expect(await seen(`${name}=${victim.session}`)).toBe("the victim");
  expect(await seen(`${name}=${attacker.session}`)).toBe("the attacker");

  const back = await house.send("POST", "/api/sessions", { json: { email, password }, headers: { cookie } });
  expect(back.status).toBe(200);
  expect([victim.session, attacker.session]).not.toContain(sessionOf(back));
});

test("A36 the server's own cookie is bound to this host and unreadable to scripts", async () => {
  const { email, password } = victim;
  const signIn = await house.send("POST", "/api/sessions", { json: { email, password } });
  expect(signIn.cookies).toEqual([
    expect.stringMatching(/^__Secure-accounts-session=[\w.-]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/),
  ]);
  const out = await house.send("DELETE", "/api/sessions", { session: sessionOf(signIn) });
  const inBrowser = await house.send("POST", "/api/sessions", {
    json: { email, password },
    headers: { "sec-fetch-site": "same-origin" },
  });
  expect(inBrowser.cookies).toEqual([
    expect.stringMatching(/^__Secure-accounts-session=[\w.-]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/),
    expect.stringMatching(
      /^__Host-latchkey-device=[0-9a-f]{32}; Path=\/; HttpOnly; Secure; SameSite=Lax; Max-Age=31536000$/,
    ),
  ]);
  expect(out.cookies).toEqual([
    "__Secure-accounts-session=; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=0",
  ]);
});
