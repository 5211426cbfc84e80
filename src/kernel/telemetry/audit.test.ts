import { describe, expect, test } from "vitest";

import { day, minute } from "../clock.ts";
import { openTestStore } from "../mail/testing/store.ts";
import { createAudit } from "./audit.ts";

const vocabulary = {
  events: ["sessions_ended", "sign_in", "sign_out", "sign_up", "signing_key_rotated"],
  channels: ["session", "password", "cli", "none", "token"],
} as const;

const rows = ({ store }: Awaited<ReturnType<typeof openTestStore>>) =>
  store.query.selectFrom("audit_events").selectAll().orderBy("id").execute();

describe("the audit trail", () => {
  test("is read by account and page, and leaves out what this version has no name for", async () => {
    const kernel = await openTestStore();
    const audit = createAudit({ ...kernel, vocabulary });
    const record = (accountId: number, ended: number) =>
      audit.record(kernel.store.query, {
        event: "sessions_ended",
        outcome: "done",
        channel: "session",
        accountId,
        details: { ended },
      });
    for (const ended of [1, 2, 3, 4]) await record(7, ended);
    await record(8, 5);
    const { query } = kernel.store;
    await query.updateTable("audit_events").set({ event: "from_the_future" }).where("id", "=", 3).execute();

    const first = await audit.of(7, { before: undefined, limit: 2 });
    expect(first.records.map(({ id, details }) => [id, details])).toEqual([[4, { ended: 4 }]]);
    expect(first.next).toBe(3);
    const second = await audit.of(7, { before: first.next, limit: 2 });
    expect(second.records.map(({ id, details }) => [id, details])).toEqual([
      [2, { ended: 2 }],
      [1, { ended: 1 }],
    ]);
    expect(second.next).toBeUndefined();
    expect(await audit.of(9, { before: undefined, limit: 2 })).toEqual({ records: [], next: undefined });
  });

  test("keeps who, what, when, from where and how", async () => {
    const kernel = await openTestStore();
    const audit = createAudit({ ...kernel, vocabulary });
    await audit.record(kernel.store.query, {
      event: "sign_in",
      outcome: "done",
      channel: "password",
      accountId: 7,
      address: "192.0.2.1",
      userAgent: "curl/8\n\u0000",
      requestId: "r1",
      details: { remembered: true },
    });
    await audit.record(kernel.store.query, { event: "signing_key_rotated", outcome: "done", channel: "cli" });
    expect(await rows(kernel)).toEqual([
      {
        id: 1,
        at: kernel.clock.now(),
        account_id: 7,
        event: "sign_in",
        outcome: "done",
        channel: "password",
        address: "192.0.2.1",
        user_agent: "curl/8  ",
        request_id: "r1",
        details: '{"remembered":true}',
        times: 1,
      },
      {
        id: 2,
        at: kernel.clock.now(),
        account_id: null,
        event: "signing_key_rotated",
        outcome: "done",
        channel: "cli",
        address: null,
        user_agent: null,
        request_id: null,
        details: null,
        times: 1,
      },
    ]);
  });

  test("is rolled back with what it tells about", async () => {
    const kernel = await openTestStore();
    const audit = createAudit({ ...kernel, vocabulary });
    const doing = kernel.store.transaction(async (tx) => {
      await audit.record(tx.query, { event: "sign_up", outcome: "done", channel: "password" });
      throw new Error("no");
    });
    await expect(doing).rejects.toThrow("no");
    expect(await rows(kernel)).toEqual([]);
  });

  test("cuts what a client may make long", async () => {
    const kernel = await openTestStore();
    await createAudit({ ...kernel, vocabulary }).record(kernel.store.query, {
      event: "sign_in",
      outcome: "refused",
      channel: "none",
      userAgent: "x".repeat(10_000),
    });
    expect((await rows(kernel)).map((row) => row.user_agent?.length)).toEqual([256]);
  });

  test("forgets after 400 days", async () => {
    const kernel = await openTestStore();
    const audit = createAudit({ ...kernel, vocabulary });
    await audit.record(kernel.store.query, { event: "sign_in", outcome: "done", channel: "password" });
    kernel.clock.wind(400 * day);
    await audit.record(kernel.store.query, { event: "sign_out", outcome: "done", channel: "session" });
    expect(await audit.purge()).toBe(0);
    kernel.clock.wind(1);
    expect(await audit.purge()).toBe(1);
    expect((await rows(kernel)).map((row) => row.event)).toEqual(["sign_out"]);
  });

  /** Refusals of nobody, from networks as limits have them. */
  const openRefusals = async () => {
    const kernel = await openTestStore();
    const audit = createAudit({ ...kernel, vocabulary });
    const refuse = (network: string, accountId?: number, query = kernel.store.query) =>
      audit.record(query, { event: "sign_in", outcome: "refused", channel: "password", network, accountId });
    const counted = async () => (await rows(kernel)).map(({ account_id, times }) => [account_id, times]);
    return { ...kernel, audit, refuse, counted };
  };

  test("has one row a minute of refusals that are nobody's, for a network that one customer may have", async () => {
    const { refuse, counted, clock } = await openRefusals();
    for (let n = 0; n < 30; n++) await refuse(`2001:db8:7:${n.toString(16)}::/64`);
    for (let n = 0; n < 3; n++) await refuse("203.0.113.7");
    for (let n = 0; n < 2; n++) await refuse("203.0.113.7", 7);
    expect(await counted()).toEqual([
      [null, 30],
      [null, 3],
      [7, 1],
      [7, 1],
    ]);
    clock.wind(minute);
    await refuse("203.0.113.7");
    expect((await counted()).slice(4)).toEqual([[null, 1]]);
  });

  test("has a thousand such rows a minute, whatever networks somebody has", async () => {
    const { refuse, counted, clock } = await openRefusals();
    for (let n = 0; n < 1100; n++) await refuse(`198.51.${n >> 8}.${n & 255}`);
    const all = await counted();
    expect(all).toHaveLength(1001);
    expect(all.at(-1)).toEqual([null, 100]);
    clock.wind(minute);
    await refuse("203.0.113.7");
    expect(await counted()).toHaveLength(1002);
  });

  test("counts on no row that was rolled back, nor on one of somebody who came by its number", async () => {
    const { refuse, counted, store } = await openRefusals();
    const undone = store.transaction(async (tx) => {
      await refuse("203.0.113.7", undefined, tx.query);
      throw new Error("no");
    });
    await expect(undone).rejects.toThrow("no");
    await refuse("203.0.113.8", 8);
    await refuse("203.0.113.7");
    await refuse("203.0.113.7");
    expect(await counted()).toEqual([
      [8, 1],
      [null, 2],
    ]);
  });

  test("forgets refusals that are nobody's after 30 days", async () => {
    const { refuse, counted, audit, clock } = await openRefusals();
    await refuse("203.0.113.7");
    await refuse("203.0.113.7", 7);
    clock.wind(30 * day);
    expect(await audit.purge()).toBe(0);
    clock.wind(1);
    expect(await audit.purge()).toBe(1);
    expect(await counted()).toEqual([[7, 1]]);
  });
});
