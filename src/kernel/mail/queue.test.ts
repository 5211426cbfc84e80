import { describe, expect, test } from "vitest";

import { startMailServer } from "./testing/mail-server.ts";
import { code, message, nowhere, openPostOffice } from "./testing/post-office.ts";

describe("a queued mail", () => {
  test("is sealed, and belongs to the transaction that queues it", async () => {
    const { store, queue, rows, enqueue, onWake } = await openPostOffice(nowhere);
    let woken = 0;
    onWake(() => (woken += 1));
    const failed = store.transaction(async (tx) => {
      await queue.enqueue(tx, message);
      throw new Error("no");
    });
    await expect(failed).rejects.toThrow("no");
    expect([await rows(), woken]).toEqual([[], 0]);
    await enqueue();
    expect(woken).toBe(1);
    const text = JSON.stringify(await rows());
    for (const hidden of [code, "alice", "Reset"]) expect(text).not.toContain(hidden);
  });

  test("is delivered once and erased", async () => {
    const server = await startMailServer();
    const { courier, enqueue, rows, log } = await openPostOffice(server.url);
    await enqueue();
    const one = courier();
    await one.deliverDue();
    await one.deliverDue();
    expect(server.taken).toMatchObject([{ from: "no-reply@id.test", to: ["alice@example.com"] }]);
    expect(await rows()).toEqual([]);
    expect(JSON.stringify(log.lines)).not.toMatch(/alice|0123456789/);
  });

  test("is delivered soon after the commit, without being asked for", async () => {
    const arrived = Promise.withResolvers<void>();
    const { courier, enqueue, onWake } = await openPostOffice(nowhere);
    const one = courier(undefined, {
      send: async () => {
        arrived.resolve();
        return "sent";
      },
    });
    onWake(one.wake);
    one.start();
    await enqueue();
    await expect(arrived.promise).resolves.toBeUndefined();
    await one.stop();
  });

  test("that is to be discarded goes the same way and never leaves", async () => {
    const server = await startMailServer();
    const { courier, enqueue, rows } = await openPostOffice(server.url);
    await enqueue(message, { discard: true });
    await enqueue(message, { discard: false });
    const [one, two] = await rows();
    expect(Math.abs((one?.sealed.length ?? 0) - (two?.sealed.length ?? 0))).toBeLessThan(4);
    await courier().deliverDue();
    expect(server.taken).toHaveLength(1);
    expect(await rows()).toEqual([]);
  });

  test.each([
    ["a line break", "alice@example.com\r\nBcc: eve@example.com"],
    ["a list", "alice@example.com,eve@example.com"],
    ["a group", "list:alice@example.com,eve@example.com;"],
    ["a name", "Alice <alice@example.com>"],
    ["a quoted part", '"a,eve@example.com"@example.com'],
    ["an encoded word", "=?utf-8?q?eve=40example=2Ecom=2C?=alice @example.com"],
    ["a second @", "alice@example.com@eve.example"],
    ["a blank", "alice @example.com"],
    ["nothing", ""],
  ])("A19: goes to one address, not to %s", async (_, to) => {
    const { enqueue, rows } = await openPostOffice(nowhere);
    await expect(enqueue({ ...message, to })).rejects.toThrow(TypeError);
    expect(await rows()).toEqual([]);
  });

  test.each(["\r\nBcc: eve@example.com", "a\nb", "a\rb", "a\u0000b", "a\u2028b"])(
    "A19: has a subject of one line, not %j",
    async (subject) => {
      const { enqueue } = await openPostOffice(nowhere);
      await expect(enqueue({ ...message, subject })).rejects.toThrow(TypeError);
    },
  );
});
