import { describe, expect, test } from "vitest";

import { Refusal } from "../../errors.ts";
import { createGate, systemTimer, type Timer } from "./gate.ts";

/** Time that goes on only when told to. */
const handWound = () => {
  let time = 0;
  const alarms = new Set<{ at: number; run: () => void }>();
  const timer: Timer = {
    now: () => time,
    after: (milliseconds, run) => {
      const alarm = { at: time + milliseconds, run };
      alarms.add(alarm);
      return () => alarms.delete(alarm);
    },
  };
  const settle = () => new Promise<void>((done) => setImmediate(done));
  return {
    timer,
    alarms,
    settle,
    /** Time passes, and nobody has noticed yet. */
    freeze: (milliseconds: number) => {
      time += milliseconds;
    },
    pass: async (milliseconds: number) => {
      time += milliseconds;
      for (const alarm of alarms) {
        if (alarm.at > time) continue;
        alarms.delete(alarm);
        alarm.run();
      }
      await settle();
    },
  };
};

const setUp = (atOnce: number, maxWaitMs = 1000) => {
  const wound = handWound();
  const gate = createGate({ atOnce, maxWaitMs, timer: wound.timer });
  const started: string[] = [];
  const finish = new Map<string, () => void>();
  const outcomes = new Map<string, unknown>();
  const enter = (name: string) => {
    void gate
      .run(() => {
        started.push(name);
        return new Promise<string>((resolve) => finish.set(name, () => resolve(`${name} done`)));
      })
      .then(
        (value) => outcomes.set(name, value),
        (error: unknown) => outcomes.set(name, error),
      );
  };
  const end = async (name: string) => {
    finish.get(name)?.();
    await wound.settle();
  };
  return { ...wound, gate, started, outcomes, enter, end };
};

const busy = expect.objectContaining({ name: "Refusal", code: "busy", status: 503, retryAfter: 1 });

describe("the gate", () => {
  test("lets in so many at once, and the rest in the order they came", async () => {
    const { gate, started, outcomes, enter, end, settle } = setUp(2);
    for (const name of ["a", "b", "c", "d", "e"]) enter(name);
    await settle();
    expect(started).toEqual(["a", "b"]);
    expect([gate.running, gate.waiting]).toEqual([2, 3]);
    await end("b");
    expect(started).toEqual(["a", "b", "c"]);
    await end("a");
    await end("c");
    expect(started).toEqual(["a", "b", "c", "d", "e"]);
    await end("d");
    await end("e");
    expect([gate.running, gate.waiting]).toEqual([0, 0]);
    expect([...outcomes.values()]).toEqual(["b done", "a done", "c done", "d done", "e done"]);
  });

  test("lets no newcomer slip in before one that was called", async () => {
    const { gate, started, enter, end } = setUp(1);
    enter("a");
    enter("b");
    const ended = end("a");
    enter("late");
    await ended;
    expect(started).toEqual(["a", "b"]);
    expect([gate.running, gate.waiting]).toEqual([1, 1]);
  });

  test("A13 refuses one that has waited too long, its work never run", async () => {
    const { gate, started, outcomes, alarms, enter, end, pass } = setUp(1);
    enter("a");
    enter("b");
    await pass(600);
    enter("c");
    await pass(399);
    expect(outcomes.size).toBe(0);
    await pass(1);
    expect(outcomes.get("b")).toEqual(busy);
    expect(outcomes.get("b")).toBeInstanceOf(Refusal);
    expect(gate.waiting).toBe(1);
    await end("a");
    await end("c");
    expect(started).toEqual(["a", "c"]);
    expect(alarms.size).toBe(0);
  });

  test("A13 refuses one that has waited too long even when its alarm is late", async () => {
    const { started, outcomes, alarms, enter, end, freeze, settle } = setUp(1);
    enter("a");
    enter("b");
    freeze(500);
    enter("c");
    await settle();
    freeze(600);
    await end("a");
    expect(outcomes.get("b")).toEqual(busy);
    expect(started).toEqual(["a", "c"]);
    expect(alarms.size).toBe(0);
  });

  test("A13 sheds at once what the queue can't serve in time, from the first flood on", async () => {
    const { gate, outcomes, enter, settle } = setUp(2);
    for (let n = 0; n < 10_000; n += 1) enter(`n${n}`);
    await settle();
    // 25 ms is taken for a run, two at a time: 80 fit into the second.
    expect([gate.running, gate.waiting]).toEqual([2, 80]);
    expect(outcomes.size).toBe(9_918);
    expect(new Set([...outcomes.values()].map((one) => one instanceof Refusal && one.code))).toEqual(
      new Set(["busy"]),
    );
  });

  test("learns how long a run takes, and keeps the queue as short as that asks for", async () => {
    const { gate, enter, end, pass, settle } = setUp(1);
    for (let n = 0; n < 60; n += 1) {
      enter(`slow${n}`);
      await pass(250);
      await end(`slow${n}`);
    }
    for (let n = 0; n < 100; n += 1) enter(`n${n}`);
    await settle();
    expect([gate.running, gate.waiting]).toEqual([1, 4]);
  });

  test("still serves, one after another, after a run that seemed to last for hours", async () => {
    const { gate, outcomes, enter, end, pass } = setUp(1);
    enter("asleep");
    await pass(8 * 3_600_000);
    await end("asleep");
    enter("a");
    enter("b");
    await end("a");
    await end("b");
    expect([outcomes.get("a"), outcomes.get("b")]).toEqual(["a done", "b done"]);
    expect(gate.running).toBe(0);
  });

  test("hands on what the work throws, and gives its place to the next", async () => {
    const { gate } = setUp(1);
    const fault = new Error("no memory");
    const rejected = gate.run(() => Promise.reject(fault));
    const thrown = gate.run(() => {
      throw fault;
    });
    const after = gate.run(() => Promise.resolve("fine"));
    await expect(rejected).rejects.toBe(fault);
    await expect(thrown).rejects.toBe(fault);
    await expect(after).resolves.toBe("fine");
    expect([gate.running, gate.waiting]).toEqual([0, 0]);
  });
});

test("the system's timer goes forward, and forgets what was cancelled", async () => {
  const before = systemTimer.now();
  const cancel = systemTimer.after(0, () => expect.unreachable("was cancelled"));
  cancel();
  await new Promise<void>((done) => systemTimer.after(1, done));
  expect(systemTimer.now()).toBeGreaterThanOrEqual(before);
});
