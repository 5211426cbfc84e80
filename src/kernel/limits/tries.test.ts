import { describe, expect, test } from "vitest";

import { day, minute, second } from "../clock.ts";
import type { Store } from "../db/store.ts";
import { openTestStore } from "../mail/testing/store.ts";
import { createTries, type CountedTry, type Reservation, type Tries, type TryPolicy } from "./tries.ts";

const password: TryPolicy = { name: "password", tries: 10, windowMs: 15 * minute, then: "wait" };
const network: TryPolicy = { name: "network", tries: 3, windowMs: 10 * minute, then: "refuse" };
const key = Buffer.alloc(32, 7);

const open = async () => {
  const kernel = await openTestStore();
  const { clock } = kernel;
  const triesOf = (store: Store): Tries => createTries({ store, key, clock });
  return { ...kernel, tries: triesOf(kernel.store), triesOf };
};

const ofAlice: CountedTry = { policy: password, value: "alice@example.com" };
const ofHome: CountedTry = { policy: network, value: "192.0.2.1" };

const answers = async (tries: Tries, one: CountedTry, times: number): Promise<Reservation[]> => {
  const all: Reservation[] = [];
  for (let n = 0; n < times; n++) all.push(await tries.reserve([one]));
  return all;
};

const wait = (reservation: Reservation): number => (reservation.ok ? 0 : reservation.retryAfterSeconds);

describe("a policy that refuses", () => {
  test("lets its number through, and refuses until the window that began with the first try ends", async () => {
    const { tries, clock } = await open();
    await tries.reserve([ofHome]);
    clock.wind(4 * minute);
    await tries.reserve([ofHome]);
    expect((await tries.reserve([ofHome])).ok).toBe(true);
    expect(await tries.reserve([ofHome])).toEqual({ ok: false, retryAfterSeconds: 360, policy: "network" });
    clock.wind(6 * minute - 1);
    expect(wait(await tries.reserve([ofHome]))).toBe(1);
    clock.wind(1);
    expect((await answers(tries, ofHome, 4)).map(({ ok }) => ok)).toEqual([true, true, true, false]);
  });

  test("counts values and policies apart", async () => {
    const { tries } = await open();
    await answers(tries, ofHome, 4);
    expect((await tries.reserve([{ policy: network, value: "192.0.2.2" }])).ok).toBe(true);
    expect((await tries.reserve([{ policy: { ...network, name: "codes" }, value: ofHome.value }])).ok).toBe(
      true,
    );
  });

  test("a clock that is set back by a day does not prolong a refusal by a day", async () => {
    const { tries, clock } = await open();
    await answers(tries, ofHome, 4);
    clock.wind(-day);
    expect(wait(await tries.reserve([ofHome]))).toBe(600);
    clock.wind(10 * minute);
    expect((await tries.reserve([ofHome])).ok).toBe(true);
  });
});

describe("a policy that waits", () => {
  test("doubles the wait with each further try, up to the window; tries during a wait are not counted", async () => {
    const { tries, clock } = await open();
    expect((await answers(tries, ofAlice, 10)).every(({ ok }) => ok)).toBe(true);
    const waits: number[] = [];
    for (let n = 0; n < 11; n++) {
      const [first, again] = await answers(tries, ofAlice, 2);
      if (!first || first.ok || !again) throw new Error("was let through");
      expect(again).toEqual(first);
      waits.push(first.retryAfterSeconds);
      clock.wind(first.retryAfterSeconds * second - 1);
      expect((await tries.reserve([ofAlice])).ok).toBe(false);
      clock.wind(1);
      expect((await tries.reserve([ofAlice])).ok).toBe(true);
    }
    expect(waits).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
  });

  test("ends its series after a whole window without a try behind the wait", async () => {
    const { tries, clock } = await open();
    await answers(tries, ofAlice, 10);
    clock.wind(2 * second + 15 * minute - 1);
    expect((await tries.reserve([ofAlice])).ok).toBe(true);
    expect(wait(await tries.reserve([ofAlice]))).toBe(4);
    clock.wind(4 * second + 15 * minute);
    expect((await answers(tries, ofAlice, 11)).filter(({ ok }) => ok)).toHaveLength(10);
  });
});

describe("giving a try back", () => {
  test("takes back this one and no other", async () => {
    const { tries } = await open();
    await answers(tries, ofHome, 2);
    const third = await tries.reserve([ofHome]);
    if (!third.ok) throw new Error("was refused");
    await Promise.all([third.refund(), third.refund()]);
    await third.refund();
    expect((await answers(tries, ofHome, 2)).map(({ ok }) => ok)).toEqual([true, false]);
  });

  test("a success during a series neither ends it nor starts a wait of its own", async () => {
    const { tries, clock } = await open();
    await answers(tries, ofAlice, 10);
    clock.wind(2 * second);
    for (let n = 0; n < 3; n++) {
      const right = await tries.reserve([ofAlice]);
      if (!right.ok) throw new Error("was refused");
      await right.refund();
    }
    await tries.reserve([ofAlice]);
    expect(wait(await tries.reserve([ofAlice]))).toBe(4);
  });

  test("is a part of the transaction that it is done in, and done once", async () => {
    const { tries, store } = await open();
    await answers(tries, ofHome, 2);
    const third = await tries.reserve([ofHome]);
    if (!third.ok) throw new Error("was refused");
    const undone = store.transaction(async (tx) => {
      await third.refundIn(tx);
      throw new Error("no");
    });
    await expect(undone).rejects.toThrow("no");
    expect((await tries.reserve([ofHome])).ok).toBe(false);

    await store.transaction((tx) => third.refundIn(tx));
    await store.transaction((tx) => third.refundIn(tx));
    await third.refund();
    expect((await answers(tries, ofHome, 2)).map(({ ok }) => ok)).toEqual([true, false]);
  });

  test("does nothing to a later window", async () => {
    const { tries, clock } = await open();
    const early = await tries.reserve([ofHome]);
    clock.wind(10 * minute);
    await answers(tries, ofHome, 3);
    if (early.ok) await early.refund();
    expect((await tries.reserve([ofHome])).ok).toBe(false);
  });
});

describe("several at once", () => {
  test("are counted together, or not at all", async () => {
    const { tries } = await open();
    await answers(tries, ofHome, 3);
    for (let n = 0; n < 20; n++) expect((await tries.reserve([ofAlice, ofHome])).ok).toBe(false);
    expect((await answers(tries, ofAlice, 11)).filter(({ ok }) => ok)).toHaveLength(10);
  });

  test("tell the longest wait", async () => {
    const { tries } = await open();
    await answers(tries, ofHome, 3);
    await answers(tries, ofAlice, 10);
    expect(await tries.reserve([ofAlice, ofHome])).toMatchObject({
      retryAfterSeconds: 600,
      policy: "network",
    });
  });

  test("are given back together", async () => {
    const { tries } = await open();
    for (let n = 0; n < 20; n++) {
      const both = await tries.reserve([ofAlice, ofHome]);
      expect(both.ok).toBe(true);
      if (both.ok) await both.refund();
    }
  });

  test("in opposite orders and in two processes never wait for one another", async () => {
    const { tries, triesOf, another } = await open();
    const other = triesOf(another());
    const wide = { ...network, tries: 1000 };
    const pair = (n: number): [CountedTry, CountedTry] => [
      { policy: wide, value: `a${n % 3}` },
      { policy: wide, value: `b${n % 2}` },
    ];
    const all = await Promise.all(
      Array.from({ length: 60 }, (_, n) => {
        const [a, b] = pair(n);
        return (n % 2 === 0 ? tries : other).reserve(n % 4 < 2 ? [a, b] : [b, a]);
      }),
    );
    expect(all.every(({ ok }) => ok)).toBe(true);
  });
});

describe("A11: racing past the limit", () => {
  test("of 500 tries at once exactly the limit's number passes", async () => {
    const { tries } = await open();
    const all = await Promise.all(Array.from({ length: 500 }, () => tries.reserve([ofAlice])));
    expect(all.filter(({ ok }) => ok)).toHaveLength(10);
  });

  test("so too when they come to two processes, and with the network counted beside", async () => {
    const { tries, triesOf, another } = await open();
    const other = triesOf(another());
    const wide: CountedTry = { policy: { ...network, tries: 200 }, value: "192.0.2.1" };
    const all = await Promise.all(
      Array.from({ length: 500 }, (_, n) => (n % 2 === 0 ? tries : other).reserve([ofAlice, wide])),
    );
    expect(all.filter(({ ok }) => ok)).toHaveLength(10);
  });
});

describe("what is kept", () => {
  test("A52: counts outlive the process", async () => {
    const { tries, triesOf, another } = await open();
    await answers(tries, ofHome, 3);
    expect((await triesOf(another()).reserve([ofHome])).ok).toBe(false);
  });

  test("the store has digests under our key, not what was typed", async () => {
    const { tries, store, clock } = await open();
    await tries.reserve([ofAlice]);
    const rows = await store.query.selectFrom("tries").selectAll().execute();
    expect(rows.map((row) => row.key)).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
    const stranger = createTries({ store, key: Buffer.alloc(32, 8), clock });
    await stranger.reserve([ofAlice]);
    expect(await store.query.selectFrom("tries").selectAll().execute()).toHaveLength(2);
  });

  test("one that is kept counts, although the others are given back", async () => {
    const { tries } = await open();
    for (let n = 0; n < 3; n++) {
      const reserved = await tries.reserve([ofAlice, { ...ofHome, kept: true }]);
      if (reserved.ok) await reserved.refund();
    }
    expect((await tries.reserve([ofHome])).ok).toBe(false);
    expect((await answers(tries, ofAlice, 11)).map(({ ok }) => ok).lastIndexOf(true)).toBe(9);
  });

  test("clear forgets one value under one policy", async () => {
    const { tries, store } = await open();
    await answers(tries, ofAlice, 11);
    await answers(tries, ofHome, 4);
    await tries.clear(store.query, ofAlice);
    expect((await tries.reserve([ofAlice])).ok).toBe(true);
    expect((await tries.reserve([ofHome])).ok).toBe(false);
  });

  test("purge forgets what was idle for a day", async () => {
    const { tries, clock, store } = await open();
    await tries.reserve([ofHome]);
    clock.wind(minute);
    await tries.reserve([ofAlice]);
    clock.wind(day);
    expect(await tries.purge()).toBe(1);
    expect(await store.query.selectFrom("tries").selectAll().execute()).toHaveLength(1);
  });

  test("what is clearly refused writes nothing", async () => {
    const { tries, store, clock } = await open();
    await answers(tries, ofHome, 3);
    const readOnly = createTries({
      store: { query: store.query, transaction: () => Promise.reject(new Error("wrote")) },
      key,
      clock,
    });
    expect((await readOnly.reserve([ofHome])).ok).toBe(false);
  });
});
