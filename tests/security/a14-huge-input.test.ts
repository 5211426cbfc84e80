import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { audited, signIn, signUp } from "../support/attacks.ts";
import { hashedDuring } from "../support/hash-count.ts";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import type { Reply, Sent } from "../support/http.ts";
import { chunked, exchange } from "../support/raw-http.ts";

vi.mock("@node-rs/argon2", async (real) => (await import("../support/hash-count.ts")).counted(await real()));

let house: TestHouse;
let person: Person;
beforeAll(async () => {
  house = await startHouse(roomy);
  person = await house.person();
});
afterAll(stopHouses);

const mebibyte = 1024 * 1024;
const asJson = { "content-type": "application/json" };

/** Every call that takes a password, with the rest of its body as it should be. */
const calls = (): readonly (readonly [
  method: string,
  path: string,
  body: Record<string, unknown>,
  keys: Sent,
])[] => [
  ["POST", "/api/signup", { email: "new@example.com", tos_accepted_for: "track" }, {}],
  ["POST", "/api/sessions", { email: person.email }, {}],
  ["POST", `/api/me/password_reset/confirm/${"0".repeat(26)}`, {}, {}],
  ["PUT", "/api/v9/me", { current_password: person.password }, { session: person.session }],
];

/** Bodies that are refused for what they are, before anybody asks what they say. */
const hostile: readonly (readonly [
  name: string,
  body: (rest: Record<string, unknown>) => string,
  status: number,
])[] = [
  ["a password of 1 MiB", (rest) => JSON.stringify({ ...rest, password: "p".repeat(mebibyte) }), 413],
  ["a body of 1 byte too many", (rest) => JSON.stringify({ ...rest, password: "p" }).padEnd(65_537), 413],
  [
    "100,000 keys",
    (rest) =>
      JSON.stringify({ ...rest, ...Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [n, n])) }),
    413,
  ],
  [
    "1,001 keys",
    (rest) =>
      JSON.stringify({ ...rest, ...Object.fromEntries(Array.from({ length: 1001 }, (_, n) => [n, 1])) }),
    400,
  ],
  ["30,000 levels of arrays", () => "[".repeat(30_000) + "]".repeat(30_000), 400],
  ["30,000 levels that never close", () => '{"password":'.repeat(5000), 400],
  [
    "33 levels",
    (rest) => JSON.stringify({ ...rest, password: JSON.parse("[".repeat(32) + "]".repeat(32)) }),
    400,
  ],
  ["a key that reaches the prototype", () => '{"__proto__":{"password":"a quiet river"}}', 400],
  ["half a surrogate pair", (rest) => JSON.stringify({ ...rest, password: "quiet river \ud800" }), 400],
  ["60,000 digits", () => `{"password":${"1".repeat(60_000)}}`, 400],
];

/** Nothing was hashed, counted, set or mailed. */
const expectNoTrace = async (work: () => Promise<readonly Reply[]>, status: number): Promise<void> => {
  const refusedBefore = await audited(house, "password_refused");
  const mailsBefore = (await house.mails()).length;
  let replies: readonly Reply[] = [];
  const hashed = await hashedDuring(async () => {
    replies = await work();
  });
  expect(replies.map((reply) => reply.status)).toEqual(replies.map(() => status));
  expect(replies.flatMap(({ cookies }) => cookies)).toEqual([]);
  expect(hashed).toEqual([]);
  expect(await audited(house, "password_refused")).toBe(refusedBefore);
  expect(await house.mails()).toHaveLength(mailsBefore);
  expect((await house.send("GET", "/api/v9/me", { session: person.session })).status).toBe(200);
};

describe.each(hostile)("%s", (_, bodyOf, status) => {
  test("A14: is refused by every call before anything is hashed or counted", () =>
    expectNoTrace(async () => {
      const replies = [];
      for (const [method, path, rest, keys] of calls()) {
        replies.push(await house.send(method, path, { ...keys, headers: asJson, body: bodyOf(rest) }));
      }
      return replies;
    }, status));

  test("A14: and no better when it is compressed", () =>
    expectNoTrace(async () => {
      const replies = [];
      for (const [method, path, rest, keys] of calls()) {
        const headers = { ...asJson, "content-encoding": "gzip" };
        replies.push(await house.send(method, path, { ...keys, headers, body: gzipSync(bodyOf(rest)) }));
      }
      return replies;
    }, status));
});

test("A14: a body that never says how long it is, is cut off at the limit", async () => {
  const body = chunked(...Array.from({ length: 32 }, () => "p".repeat(32 * 1024)));
  const head = `POST /api/sessions HTTP/1.1\r\nHost: ${house.config.origin.host}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const hashed = await hashedDuring(async () => {
    expect((await exchange(house.config.port, Buffer.concat([Buffer.from(head), body]))).status).toBe(413);
  });
  expect(hashed).toEqual([]);
});

test("A14: calls without a body take no large one either, and do nothing then", async () => {
  const body = JSON.stringify({ filler: "p".repeat(mebibyte) });
  const sent = { session: person.session, headers: asJson, body };
  for (const [method, path] of [
    ["POST", "/api/me/close_account/track"],
    ["POST", "/api/v9/me/close_account"],
    ["POST", "/api/v9/me/reset_token"],
    ["DELETE", "/api/sessions"],
  ] as const) {
    expect((await house.send(method, path, sent)).status, path).toBe(413);
  }
  expect((await house.send("GET", "/api/v9/me", { session: person.session })).status).toBe(200);
});

test("A14: a password of 1,024 characters works on every channel, and one more is none", async () => {
  for (const letter of ["p", "é", "海", "🌊"]) {
    const email = `long-${letter.codePointAt(0)}@example.com`;
    const longest = `quiet ${letter.repeat(1018)}`;
    const tooLong = await signUp(house, email, `${longest}${letter}`);
    expect(tooLong.status).toBe(400);
    expect(tooLong.json()).toBe("password must have at most 1024 characters");

    expect((await signUp(house, email, longest)).status).toBe(200);
    expect((await signIn(house, email, longest)).status).toBe(200);
    expect((await house.send("GET", "/api/v9/me", { basic: [email, longest] })).status).toBe(200);
    expect((await signIn(house, email, `${longest}${letter}`)).status).toBe(403);
    expect((await signIn(house, email, longest.slice(0, -letter.length))).status).toBe(403);
    expect((await house.send("GET", "/api/v9/me", { basic: [email, `${longest}${letter}`] })).status).toBe(
      403,
    );
  }
});

test("A14: what is too long to be a password costs a sign-in no more than any wrong one", async () => {
  const hashed = await hashedDuring(async () => {
    expect((await signIn(house, person.email, "p".repeat(60_000))).status).toBe(403);
    expect((await signIn(house, "nobody@example.com", "p".repeat(60_000))).status).toBe(403);
  });
  expect(hashed.map(({ kind, characters }) => [kind, characters])).toEqual([
    ["verify", 0],
    ["verify", 0],
  ]);
});

test("A14: an Authorization header over 8 KiB is never decoded into a password, one over 16 KiB never read", async () => {
  const hashed = await hashedDuring(async () => {
    const large = await house.send("GET", "/api/v9/me", { basic: [person.email, "p".repeat(7000)] });
    expect(large.status).toBe(403);
    const larger = await house.send("GET", "/api/v9/me", { basic: [person.email, "p".repeat(20_000)] });
    expect(larger.status).toBe(431);
  });
  expect(hashed).toEqual([]);
});
