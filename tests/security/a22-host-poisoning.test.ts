import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mailedCode, mailedDuring, signIn, subjects } from "../support/attacks.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { basicHeader, sessionCookieName } from "../support/http.ts";
import { exchange, type RawReply } from "../support/raw-http.ts";

const password = "a quiet river at noon";
const changed = "a different river at dawn";

/** A request as bytes. `target` is what stands between the method and the version. */
type Raw = { readonly method: string; readonly target: string; readonly lines: readonly string[] };
type Poison = (raw: Raw, host: string) => Raw;

const withHost =
  (value: string): Poison =>
  (raw) => ({ ...raw, lines: [`Host: ${value}`, ...raw.lines] });
const beside =
  (...lines: readonly string[]): Poison =>
  (raw, host) => ({ ...raw, lines: [`Host: ${host}`, ...raw.lines, ...lines] });
const absolute =
  (origin: string, host?: string): Poison =>
  (raw, ours) => ({
    ...raw,
    target: `${origin}${raw.target}`,
    lines: [`Host: ${host ?? ours}`, ...raw.lines],
  });

/** How a request can say that it was made for another host. */
const poisons: readonly (readonly [name: string, poison: Poison, anotherHost: boolean])[] = [
  ["an evil Host", withHost("evil.example"), true],
  ["a Host with userinfo", (raw, host) => withHost(`${host}@evil.example`)(raw, host), true],
  ["a Host with a path", (raw, host) => withHost(`evil.example/${host}`)(raw, host), true],
  ["a Host with markup", withHost('evil.example"><img src=//evil.example>'), true],
  ["a Host with a port of its own", (raw, host) => withHost(`${host.split(":", 1)[0]}:1`)(raw, host), true],
  ["a Host below ours", (raw, host) => withHost(`evil.${host}`)(raw, host), true],
  ["a Host with a dot behind", (raw, host) => withHost(host.replace(/(:\d+)?$/, ".$1"))(raw, host), true],
  ["a list as Host", (raw, host) => withHost(`${host}, evil.example`)(raw, host), true],
  ["an empty Host", withHost(""), true],
  ["two Hosts, ours first", (raw, host) => beside("Host: evil.example")(raw, host), true],
  [
    "two Hosts, the evil one first",
    (raw, host) => withHost("evil.example")(withHost(host)(raw, host), host),
    true,
  ],
  ["another host in the target", absolute("http://evil.example"), true],
  [
    "our host in the target, another in Host",
    (raw, host) => absolute(`http://${host}`, "evil.example")(raw, host),
    true,
  ],
  ["X-Forwarded-Host", beside("X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https"), false],
  [
    "X-Forwarded-Server and X-Host",
    beside("X-Forwarded-Server: evil.example", "X-Host: evil.example"),
    false,
  ],
  [
    "X-Forwarded-Port and Prefix",
    beside("X-Forwarded-Port: 666", "X-Forwarded-Prefix: //evil.example"),
    false,
  ],
  ["X-HTTP-Host-Override", beside("X-HTTP-Host-Override: evil.example"), false],
  ["Forwarded", beside('Forwarded: for=203.0.113.7;host="evil.example";proto=https'), false],
  [
    "X-Original-URL",
    beside("X-Original-URL: http://evil.example/reset", "X-Rewrite-URL: //evil.example/"),
    false,
  ],
  [
    "Origin of our own and an evil Referer",
    (raw, host) => beside("Referer: http://evil.example/")(raw, host),
    false,
  ],
];

const send = (
  house: TestHouse,
  poison: Poison,
  [method, path]: readonly [string, string],
  lines: readonly string[],
  json?: unknown,
): Promise<RawReply> => {
  const body = json === undefined ? "" : JSON.stringify(json);
  const framed =
    json === undefined ? [] : ["Content-Type: application/json", `Content-Length: ${body.length}`];
  const raw = poison({ method, target: path, lines: [...lines, ...framed] }, house.config.origin.host);
  const head = [`${raw.method} ${raw.target} HTTP/1.1`, ...raw.lines, "Connection: close"].join("\r\n");
  return exchange(house.config.port, `${head}\r\n\r\n${body}`);
};

let people = 0;
const newAddress = (): string => `host${++people}@example.com`;

const houses: Record<string, TestHouse> = {};
beforeAll(async () => {
  houses["local"] = await startHouse(roomy);
  houses["https, behind a trusted proxy"] = await startHouse({
    ...roomy,
    LATCHKEY_ORIGIN: "https://id.example.com",
    LATCHKEY_MAIL: "outbox",
    LATCHKEY_TRUSTED_PROXIES: "127.0.0.1",
  });
});
afterAll(stopHouses);

const houseOf = (kind: string): TestHouse => {
  const house = houses[kind];
  if (!house) throw new Error(`No house ${kind}`);
  return house;
};

/** Every mail that can be set off, by calls that carry no cookie and so are answered on any host. */
const everyMail = async (house: TestHouse, poison: Poison): Promise<readonly number[]> => {
  const email = newAddress();
  const moved = newAddress();
  const statuses: number[] = [];
  const call = async (
    what: readonly [string, string],
    lines: readonly string[],
    json?: unknown,
  ): Promise<void> => {
    statuses.push((await send(house, poison, what, lines, json)).status);
  };
  await call(["POST", "/api/signup"], [], { email, password, tos_accepted_for: "track" });
  await call(["POST", "/api/me/password_reset/request"], [], { email });
  const code = await mailedCode(house, email, "reset");
  await call(["POST", `/api/me/password_reset/confirm/${code}`], [], { password: changed });
  const basic = (address: string) => [`Authorization: ${basicHeader(address, changed)}`];
  await call(["PUT", "/api/v9/me"], basic(email), { current_password: changed, email: moved });
  await call(["POST", "/api/me/email_verification/request"], [], { email: moved });
  const pending = { current_password: changed, email: newAddress() };
  await call(["POST", "/api/me/email_change/request"], basic(moved), pending);
  const change = await mailedCode(house, pending.email, "change");
  await call(["POST", `/api/me/email_verification/confirm/${change}`], []);
  await call(["POST", "/api/me/close_account/track"], basic(pending.email));
  return statuses;
};

describe.each(["local", "https, behind a trusted proxy"])("%s", (kind) => {
  test.each(poisons)("A22: %s reaches no mail", async (_, poison) => {
    const house = houseOf(kind);
    const { origin } = house.config.origin;
    let statuses: readonly number[] = [];
    const mails = await mailedDuring(house, async () => {
      statuses = await everyMail(house, poison);
    });
    expect(statuses).toEqual([200, 200, 200, 200, 200, 200, 200, 200]);
    expect(mails.map(({ subject }) => subject).toSorted()).toEqual(
      [
        subjects.verify,
        subjects.reset,
        "Your password was changed",
        subjects.verify,
        "Your e-mail address was changed",
        subjects.verify,
        subjects.change,
        "A new e-mail address was asked for",
        "Your e-mail address was changed",
        subjects.closed,
      ].toSorted(),
    );
    for (const { raw, text, html } of mails) {
      expect(raw).not.toContain("evil");
      expect(raw).not.toContain(":666");
      const links = `${text}\n${html}`.match(/\b[a-z]+:\/\/[^\s"'<>]*/g) ?? [];
      expect(links.length).toBeGreaterThan(0);
      for (const link of links) expect(new URL(link.replace(/\.$/, "")).origin).toBe(origin);
      // No link without a scheme either, which a browser would take for one to another host.
      expect(html).not.toMatch(/(?:href|src)="(?!https?:\/\/)/);
    }
  });

  test.each(poisons.filter(([, , anotherHost]) => anotherHost))(
    "A22: with %s a cookie is not looked at, and nothing is done",
    async (_, poison) => {
      const house = houseOf(kind);
      const { email, session } = await house.person(newAddress(), password);
      const token = await house.tokenOf({ email, password, session });
      const calls: readonly (readonly [string, string, unknown?])[] = [
        ["GET", "/api/v9/me"],
        ["GET", "/api/sessions"],
        ["PUT", "/api/v9/me", { fullname: "Somebody Else" }],
        ["PUT", "/api/v9/me", { current_password: password, password: changed }],
        ["POST", "/api/v9/me/reset_token", {}],
        ["POST", "/api/me/close_account/track", {}],
        ["POST", "/api/v9/me/close_account", {}],
        ["DELETE", "/api/sessions"],
        ["GET", "/api/me"],
        ["GET", "/api/me/sessions"],
        ["GET", "/api/me/audit"],
        ["DELETE", "/api/me/sessions"],
        ["POST", "/api/me/email_change/request", { email: newAddress(), current_password: password }],
        ["DELETE", "/api/me/email_change"],
      ];
      for (const cookie of [session, "no.session.at-all"]) {
        for (const [method, path, json] of calls) {
          const reply = await send(
            house,
            poison,
            [method, path],
            [`Cookie: ${sessionCookieName}=${cookie}`],
            json,
          );
          expect(reply.status, `${method} ${path}`).toBe(421);
          expect(reply.head).not.toMatch(/^set-cookie:/im);
          expect(reply.body).not.toContain(email);
        }
      }
      const me = await house.send("GET", "/api/v9/me", { session });
      expect(me.json()).toMatchObject({ email, api_token: token, fullname: email.split("@", 1)[0] });
      expect((await signIn(house, email, password)).status).toBe(200);
    },
  );

  test("A22: a cookie beside Basic is not ended on another host", async () => {
    const house = houseOf(kind);
    const { email, session } = await house.person(newAddress(), password);
    const both = [
      `Cookie: ${sessionCookieName}=${session}`,
      `Authorization: ${basicHeader(email, password)}`,
    ];
    expect((await send(house, withHost("evil.example"), ["DELETE", "/api/sessions"], both)).status).toBe(421);
    expect((await house.send("GET", "/api/v9/me", { session })).status).toBe(200);
  });

  test("A22: on our own host the cookie counts, in any case, and credentials without a cookie on any host", async () => {
    const house = houseOf(kind);
    const { email, session } = await house.person(newAddress(), password);
    const token = await house.tokenOf({ email, password, session });
    const cookie = [`Cookie: ${sessionCookieName}=${session}`];
    const asked = async (poison: Poison, lines: readonly string[]) =>
      (await send(house, poison, ["GET", "/api/v9/me"], lines)).status;
    expect(await asked(beside(), cookie)).toBe(200);
    expect(await asked((raw, host) => withHost(host.toUpperCase())(raw, host), cookie)).toBe(200);
    expect(await asked((raw, host) => absolute(`http://${host}`)(raw, host), cookie)).toBe(200);
    for (const credentials of [basicHeader(email, password), basicHeader(token, "api_token")]) {
      expect(await asked(withHost("evil.example"), [`Authorization: ${credentials}`])).toBe(200);
    }
    expect(await asked(withHost("evil.example"), [])).toBe(401);
    expect((await send(house, withHost("evil.example"), ["GET", "/healthz"], [])).status).toBe(200);
  });
});

test("A22: what came as Host is told to whoever has to mend a proxy, as a name or not at all", async () => {
  const house = houseOf("https, behind a trusted proxy");
  const before = house.logs.length;
  const proxied = ["X-Forwarded-Host: id.example.com", "X-Forwarded-Proto: https"];
  const page = await send(house, withHost("127.0.0.1:3000"), ["GET", "/login"], proxied);
  const cookie = [`Cookie: ${sessionCookieName}=x`, ...proxied];
  const call = await send(house, withHost("127.0.0.1:3000"), ["GET", "/api/v9/me"], cookie);
  for (const reply of [page, call]) {
    expect(reply.status).toBe(421);
    expect(reply.body).toContain("(127.0.0.1:3000)");
    expect(reply.body).toContain("https://id.example.com");
    expect(reply.body).toContain("must pass on the Host header as it came");
  }
  const refused = house.logs.slice(before).filter((line) => line.includes("host_unknown"));
  expect(refused).toHaveLength(2);
  for (const line of refused) expect(JSON.parse(line)).toMatchObject({ host: "127.0.0.1:3000" });

  for (const [host, trace] of [
    ['evil.example"><img src=x>', "<img"],
    ["evil.example/&lt;b&gt;", "&lt;b"],
    ["a".repeat(300), "a".repeat(256)],
  ] as const) {
    for (const path of ["/login", "/api/v9/me"]) {
      const reply = await send(house, withHost(host), ["GET", path], [`Cookie: ${sessionCookieName}=x`]);
      expect(reply.status).toBe(421);
      expect(reply.body).not.toContain(trace);
      expect(reply.body).toContain("(none that can be read)");
    }
  }
});

test("A22: broken and missing Hosts are refused before anything is done", async () => {
  const house = houseOf("local");
  const email = newAddress();
  const { session } = await house.person(email, password);
  const reset = ["POST", "/api/me/password_reset/request"] as const;
  const without: Poison = (raw) => raw;
  const mails = await mailedDuring(house, async () => {
    expect((await send(house, without, reset, [], { email })).status).toBe(400);
    expect((await send(house, withHost("localhost\r\n evil.example"), reset, [], { email })).status).toBe(
      400,
    );
    expect(
      (await send(house, (raw) => ({ ...raw, lines: ["Host : evil.example"] }), reset, [], { email })).status,
    ).toBe(400);
  });
  expect(mails).toEqual([]);

  // HTTP/1.0 needs no Host; a cookie does.
  const old = `GET /api/v9/me HTTP/1.0\r\nCookie: ${sessionCookieName}=${session}\r\n\r\n`;
  expect((await exchange(house.config.port, old)).status).toBe(421);
});
