import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { minute } from "#kernel/clock.ts";
import {
  behindProxy,
  confirmEmail,
  confirmReset,
  elsewhere,
  from,
  requestReset,
  requestVerification,
  series,
  signIn,
  signUp,
  tally,
  times,
  undoClose,
  verifiedPerson,
} from "../support/attacks.ts";
import { hashCount, holdingHashes } from "../support/hash-count.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import type { Reply } from "../support/http.ts";

/** What strangers make this server write is counted, bounded, and as little as it can be. */

const password = "a quiet river at noon";
const unknownCode = "0123456789abcdefghjkmnpqrs";

let house: TestHouse;
let strict: TestHouse;
beforeAll(async () => {
  house = await startHouse({ ...roomy, ...behindProxy });
  strict = await startHouse({ ...roomy, ...behindProxy, LATCHKEY_HIDE_ACCOUNTS: "strict" });
  for (const one of [house, strict]) {
    await verifiedPerson(one, "known@example.com", password);
    await signUp(one, "unproved@example.com", password, elsewhere());
  }
});
afterAll(stopHouses);

/** Transactions, and statements that write by themselves. Whoever brings mails is no part of it. */
const commitsDuring = async (
  { inside: { store } }: TestHouse,
  work: () => Promise<Reply>,
): Promise<number> => {
  const transactions = vi.spyOn(store, "transaction");
  const statements = vi.spyOn(store.query.getExecutor(), "executeQuery");
  try {
    await work();
    const single = statements.mock.calls.filter(
      ([{ sql }]) => /^\s*(insert|update|delete)/.test(sql) && !/"(mail_queue|jobs)"/.test(sql),
    );
    return transactions.mock.calls.length + single.length;
  } finally {
    transactions.mockRestore();
    statements.mockRestore();
  }
};

type Asks = (at: TestHouse, who: "known" | "nobody") => Promise<Reply>;

/** What is hashed has a transaction before, so that guesses at once are counted, and one behind it. */
const costs: readonly (readonly [string, number, Asks])[] = [
  ["a reset request", 1, (at, who) => requestReset(at, `${who}@example.com`)],
  ["a request of a verification", 1, (at, who) => requestVerification(at, `${who}@example.com`)],
  ["a wrong password", 2, (at, who) => signIn(at, `${who}@example.com`, "a loud river", elsewhere())],
  [
    "a sign-up",
    2,
    (at, who) => signUp(at, who === "known" ? "known@example.com" : "new@example.com", password, elsewhere()),
  ],
  ["a wrong code of a reset", 1, (at) => confirmReset(at, unknownCode, password)],
  ["no code of a reset", 1, (at) => confirmReset(at, "no-code", password)],
  ["a wrong code of an address", 1, (at) => confirmEmail(at, unknownCode)],
  ["a wrong code of a closing", 1, (at) => undoClose(at, unknownCode, password)],
];

describe.each(costs)("%s", (_, commits, ask) => {
  test(`is ${commits} in the database, whoever has the address`, async () => {
    for (const at of [house, strict]) {
      expect(await commitsDuring(at, () => ask(at, "known"))).toBe(commits);
      expect(await commitsDuring(at, () => ask(at, "nobody"))).toBe(commits);
    }
  });
});

test("what has to wait is only read", async () => {
  const own = await startHouse({ ...behindProxy, LATCHKEY_SIGN_UPS: "1", LATCHKEY_NETWORK_TRIES: "1" });
  const network = from("203.0.113.9");
  const asks: readonly (() => Promise<Reply>)[] = [
    () => requestReset(own, "nobody@example.com", network),
    () => confirmReset(own, unknownCode, password, network),
    () => signUp(own, "new@example.com", password, network),
    () => signIn(own, "nobody@example.com", password, network),
  ];
  await series(101, () => requestReset(own, "nobody@example.com", network));
  for (const ask of asks) await ask();
  // Once a minute it is written down that passwords have to wait.
  for (const ask of asks) await ask();
  for (const ask of asks) {
    expect(await commitsDuring(own, ask)).toBe(0);
    expect((await ask()).status).toBe(429);
  }
});

test("a network's refusals that are nobody's are a row a minute and kind, with their number", async () => {
  const own = await startHouse({ ...roomy, ...behindProxy });
  const rows = async () =>
    (
      await own.inside.store.query
        .selectFrom("audit_events")
        .select(["event", "address", "times"])
        .where("account_id", "is", null)
        .orderBy("id")
        .execute()
    ).map(({ event, address, times: how }) => `${event} ${address} ${how}`);
  const network = (index: number) => from(`2001:db8:7:${index.toString(16)}::1`);
  await series(12, (index) => confirmReset(own, unknownCode, password, network(index)));
  await series(12, (index) => signIn(own, `nobody${index}@example.com`, password, network(index)));
  await series(12, (index) => requestReset(own, `nobody${index}@example.com`, network(index)));
  expect(await rows()).toEqual([
    "reset_confirmed 2001:db8:7::1 12",
    "password_refused 2001:db8:7::1 12",
    "reset_requested 2001:db8:7::1 12",
  ]);

  await confirmReset(own, unknownCode, password, from("2001:db8:8::1"));
  own.clock.advance(minute);
  await confirmReset(own, unknownCode, password, network(5));
  expect((await rows()).slice(3)).toEqual([
    "reset_confirmed 2001:db8:8::1 1",
    "reset_confirmed 2001:db8:7:5::1 1",
  ]);
});

test("of sixty sign-ups at once, those that were told to come again may", async () => {
  const own = await startHouse({ ...behindProxy, LATCHKEY_HASHES: "1", LATCHKEY_SIGN_UPS: "5" });
  const network = from("203.0.113.7");
  let first: Promise<Reply> | undefined;
  const refused = await holdingHashes(async () => {
    const before = hashCount();
    first = signUp(own, "first@example.com", password, network);
    await expect.poll(hashCount).toBe(before + 1);
    return times(60, (index) => signUp(own, `new${index}@example.com`, password, network));
  });
  expect((await first)?.status).toBe(200);
  expect(refused.every(({ status }) => status === 503 || status === 429)).toBe(true);
  expect(
    tally(await series(5, (index) => signUp(own, `again${index}@example.com`, password, network))),
  ).toEqual({
    200: 4,
    429: 1,
  });
});
