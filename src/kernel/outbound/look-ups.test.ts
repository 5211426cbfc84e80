import { describe, expect, test, vi } from "vitest";
import { createLookUps, LookUpFault, type Asker } from "./look-ups.ts";

/** Look-ups whose answers are given by hand. */
const watch = (atOnce = 4) => {
  let now = 0;
  const open = new Map<string, PromiseWithResolvers<readonly string[]>>();
  const asked: string[] = [];
  const ended: string[] = [];
  const lookUp = createLookUps({
    atOnce,
    clock: { now: () => now },
    ask: (host, signal) => {
      const answer = Promise.withResolvers<readonly string[]>();
      asked.push(host);
      open.set(host, answer);
      signal.addEventListener("abort", () => {
        ended.push(host);
        answer.reject(new Error("Ended"));
      });
      return answer.promise;
    },
  });
  return {
    lookUp: (host: string, asker?: Asker, signal?: AbortSignal) => {
      const asking = lookUp(host, { asker, signal }).catch((error: unknown) =>
        error instanceof LookUpFault ? error.code : error,
      );
      return asking;
    },
    asked,
    ended,
    answer: (host: string) => open.get(host)?.resolve(["8.8.8.8"]),
    refuse: (host: string, error = new Error("NXDOMAIN")) => open.get(host)?.reject(error),
    pass: (ms: number) => void (now += ms),
  };
};

/** Until everything has happened that happens by itself. */
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

const link = (member: string): Asker => ({ group: "links", member });
const app: Asker = { group: "key 1", member: "connection" };

describe("Names are looked up", () => {
  test("one at a time for a member, whatever else it asks for, and at once for another", async () => {
    const { lookUp, asked, answer } = watch();
    const first = lookUp("a.test", link("1"));
    const next = lookUp("b.test", link("1"));
    const other = lookUp("c.test", link("2"));
    expect(asked).toEqual(["a.test", "c.test"]);
    answer("c.test");
    expect(await other).toEqual(["8.8.8.8"]);
    answer("a.test");
    expect(await first).toEqual(["8.8.8.8"]);
    expect(asked).toEqual(["a.test", "c.test", "b.test"]);
    answer("b.test");
    expect(await next).toEqual(["8.8.8.8"]);
  });

  test("for a group on half of the places, however many members it has", async () => {
    const { lookUp, asked, answer } = watch(4);
    for (let index = 0; index < 50; index += 1) void lookUp(`slow${index}.test`, link(String(index)));
    expect(asked).toEqual(["slow0.test", "slow1.test"]);
    const found = lookUp("api.test", app);
    answer("api.test");
    expect(await found).toEqual(["8.8.8.8"]);
  });

  test("first for the group that has the fewest", async () => {
    const { lookUp, asked, answer } = watch(2);
    void lookUp("a.test", link("1"));
    void lookUp("b.test", { group: "webhooks", member: "1" });
    void lookUp("c.test", link("2"));
    void lookUp("d.test", { group: "webhooks", member: "2" });
    void lookUp("e.test", app);
    expect(asked).toEqual(["a.test", "b.test"]);
    answer("a.test");
    await settled();
    expect(asked.at(-1)).toBe("c.test");
    answer("c.test");
    await settled();
    expect(asked.at(-1)).toBe("e.test");
    answer("b.test");
    await settled();
    expect(asked.at(-1)).toBe("d.test");
  });

  test("once for all who ask for the same one, also while they stand in line", async () => {
    const { lookUp, asked, answer } = watch();
    const first = lookUp("slow.test", link("1"));
    const behind = lookUp("api.test", link("1"));
    const others = [lookUp("api.test", app), lookUp("api.test", link("2"))];
    expect(asked).toEqual(["slow.test", "api.test"]);
    answer("api.test");
    for (const one of [behind, ...others]) expect(await one).toEqual(["8.8.8.8"]);
    answer("slow.test");
    await first;
    expect(asked).toEqual(["slow.test", "api.test"]);
  });

  test("anew each time when they lead somewhere; who they led to before is kept elsewhere", async () => {
    const { lookUp, asked, answer } = watch();
    for (const count of [1, 2]) {
      const found = lookUp("api.test", app);
      answer("api.test");
      await found;
      expect(asked).toHaveLength(count);
    }
  });

  test("not again for five seconds when they led nowhere", async () => {
    const { lookUp, asked, refuse, pass } = watch();
    const error = new Error("NXDOMAIN");
    const failing = lookUp("gone.test", link("1"));
    refuse("gone.test", error);
    expect(await failing).toBe(error);
    pass(4999);
    expect(await lookUp("gone.test", app)).toBe(error);
    expect(asked).toHaveLength(1);
    pass(1);
    void lookUp("gone.test", app);
    expect(asked).toHaveLength(2);
  });
});

describe("Who asks too much", () => {
  test("is refused, and others are not", async () => {
    const { lookUp, asked, answer } = watch();
    const slow = Array.from({ length: 40 }, (_, index) => lookUp(`slow${index}.test`, link("1")));
    expect(await slow.at(-1)).toBe("EBUSY");
    const other = lookUp("api.test", link("2"));
    answer("api.test");
    expect(await other).toEqual(["8.8.8.8"]);
    expect(asked).toEqual(["slow0.test", "api.test"]);
  });

  test("as a group too, and the place in line of others stays", async () => {
    const { lookUp, answer } = watch();
    const slow = Array.from({ length: 600 }, (_, index) => lookUp(`slow${index}.test`, link(String(index))));
    expect(await slow.at(-1)).toBe("EBUSY");
    const other = lookUp("api.test", app);
    answer("api.test");
    expect(await other).toEqual(["8.8.8.8"]);
  });
});

describe("A look-up that takes too long", () => {
  test("is ended after five seconds, for all who wait; the name is not asked for again at once", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const { lookUp, asked, ended } = watch();
      const slow = lookUp("slow.test", link("1"));
      const same = lookUp("slow.test", app);
      const behind = lookUp("other.test", link("1"));
      vi.advanceTimersByTime(4999);
      expect(ended).toEqual([]);
      vi.advanceTimersByTime(1);
      expect([await slow, await same]).toEqual(["ETIMEOUT", "ETIMEOUT"]);
      await settled();
      expect(ended).toEqual(["slow.test"]);
      expect(asked).toEqual(["slow.test", "other.test"]);
      expect(await lookUp("slow.test", app)).toBe("ETIMEOUT");
      expect(asked).toHaveLength(2);
      void behind;
    } finally {
      vi.useRealTimers();
    }
  });

  test("is ended when nobody waits for it any more, and makes room; it says nothing about the name", async () => {
    const { lookUp, asked, ended, answer } = watch();
    const [one, other] = [new AbortController(), new AbortController()];
    const slow = [lookUp("slow.test", link("1"), one.signal), lookUp("slow.test", app, other.signal)];
    const behind = lookUp("api.test", link("1"));
    one.abort("left");
    expect(await slow[0]).toBe("left");
    expect(ended).toEqual([]);
    other.abort("left");
    expect(await slow[1]).toBe("left");
    await settled();
    expect(ended).toEqual(["slow.test"]);
    answer("api.test");
    expect(await behind).toEqual(["8.8.8.8"]);
    void lookUp("slow.test", app);
    expect(asked).toEqual(["slow.test", "api.test", "slow.test"]);
  });

  test("is not begun for who left while standing in line", async () => {
    const { lookUp, asked, answer } = watch();
    const left = new AbortController();
    const first = lookUp("slow.test", link("1"));
    const behind = lookUp("other.test", link("1"), left.signal);
    left.abort("left");
    expect(await behind).toBe("left");
    answer("slow.test");
    await first;
    await settled();
    expect(asked).toEqual(["slow.test"]);
    const before = new AbortController();
    before.abort("gone");
    expect(await lookUp("late.test", app, before.signal)).toBe("gone");
    expect(asked).toEqual(["slow.test"]);
  });
});
