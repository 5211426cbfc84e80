import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { audited, signIn, signUp } from "../support/attacks.ts";
import { hashedDuring } from "../support/hash-count.ts";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import type { Reply, Sent } from "../support/http.ts";
import { chunked, exchange } from "../support/raw-http.ts";

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

type Fields = Readonly<Record<string, unknown>>;
type Hostile = {
  readonly name: string;
  readonly bodyOf: (rest: Fields) => string;
  readonly status: 400 | 413;
  /** What the refusal says: that it is refused for this, and not for something else that is wrong with it too. */
  readonly says: RegExp;
};

const manyKeys = (count: number): Fields =>
  Object.fromEntries(Array.from({ length: count }, (_, number) => [number, 1]));
const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
const tooLarge = { status: 413, says: /larger than this path accepts/ } as const;
const tooDeep = { status: 400, says: /nested more than 32 levels/ } as const;

/** Bodies that are refused for what they are, before anybody asks what they say. */
const hostile: readonly Hostile[] = [
  {
    name: "a password of 1 MiB",
    bodyOf: (rest) => JSON.stringify({ ...rest, password: "p".repeat(mebibyte) }),
    ...tooLarge,
  },
  {
    name: "a body of 1 byte too many",
    bodyOf: (rest) => JSON.stringify({ ...rest, password: "p" }).padEnd(65_537),
    ...tooLarge,
  },
  {
    name: "100,000 keys",
    bodyOf: (rest) => JSON.stringify({ ...rest, ...manyKeys(100_000) }),
    ...tooLarge,
  },
  {
    name: "1,001 keys",
    bodyOf: (rest) => JSON.stringify({ ...rest, ...manyKeys(1001) }),
    status: 400,
    says: /more than 1000 keys/,
  },
  { name: "30,000 levels of arrays", bodyOf: () => nested(30_000), ...tooDeep },
  { name: "5,000 levels that never close", bodyOf: () => '{"password":'.repeat(5000), ...tooDeep },
  {
    name: "33 levels",
    bodyOf: (rest) => JSON.stringify({ ...rest, password: JSON.parse(nested(32)) }),
    ...tooDeep,
  },
  {
    name: "a key that reaches the prototype",
    bodyOf: () => '{"__proto__":{"password":"a quiet river"}}',
    status: 400,
    says: /__proto__/,
  },
  {
    name: "half a surrogate pair",
    bodyOf: (rest) => JSON.stringify({ ...rest, password: "quiet river \ud800" }),
    status: 400,
    says: /half a surrogate pair/,
  },
  {
    name: "60,000 digits",
    bodyOf: (rest) =>
      `${JSON.stringify(rest).slice(0, -1)},"password":${"1".repeat(60_000)}}`.replace("{,", "{"),
    status: 400,
    says: /password/i,
  },
];

/** Nothing was hashed, counted, set or mailed. */
const expectNoTrace = async (
  work: () => Promise<readonly Reply[]>,
  { status, says }: Hostile,
): Promise<void> => {
  const refusedBefore = await audited(house, "password_refused");
  const mailsBefore = (await house.mails()).length;
  let replies: readonly Reply[] = [];
  const hashed = await hashedDuring(async () => {
    replies = await work();
  });
  expect(replies).toHaveLength(calls().length);
  for (const reply of replies) {
    expect([reply.status, reply.cookies]).toEqual([status, []]);
    expect(reply.json()).toMatch(says);
  }
  expect(hashed).toEqual([]);
  expect(await audited(house, "password_refused")).toBe(refusedBefore);
  expect(await house.mails()).toHaveLength(mailsBefore);
  expect((await house.send("GET", "/api/v9/me", { session: person.session })).status).toBe(200);
};

describe.each(hostile)("$name", (body) => {
  const toEveryCall =
    (encode: (text: string) => Pick<Sent, "body" | "headers">) => async (): Promise<readonly Reply[]> => {
      const replies = [];
      for (const [method, path, rest, keys] of calls()) {
        replies.push(await house.send(method, path, { ...keys, ...encode(body.bodyOf(rest)) }));
      }
      return replies;
    };

  test("A14: is refused by every call before anything is hashed or counted", () =>
    expectNoTrace(
      toEveryCall((text) => ({ headers: asJson, body: text })),
      body,
    ));

  test("A14: and no better when it is compressed", () =>
    expectNoTrace(
      toEveryCall((text) => ({ headers: { ...asJson, "content-encoding": "gzip" }, body: gzipSync(text) })),
      body,
    ));
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
