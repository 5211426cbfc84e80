import { describe, expect, test } from "vitest";

import { day, hour, minute, second } from "../clock.ts";
import { smtpAnswer, startMailServer } from "./testing/mail-server.ts";
import { message, nowhere, openPostOffice } from "./testing/post-office.ts";

const idOf = (raw: string | undefined): string | undefined => /^Message-ID: (<.*>)/m.exec(raw ?? "")?.[1];

describe("A51: when the mail server is down", () => {
  test("nothing is lost, and everything arrives once it is back", async () => {
    const first = await startMailServer();
    const { courier, enqueue, rows, clock, log } = await openPostOffice(first.url);
    await first.stop();
    for (let n = 0; n < 5; n++) await enqueue({ ...message, to: `user${n}@example.com` });
    const one = courier();
    await one.deliverDue();
    expect((await rows()).map(({ attempts }) => attempts)).toEqual([1, 1, 1, 1, 1]);
    expect(log.lines[0]).toMatchObject({
      level: "warn",
      event: "mail_postponed",
      fields: { system: "ECONNREFUSED" },
    });
    const server = await startMailServer({}, first.port);
    await one.deliverDue();
    expect(server.taken).toHaveLength(0);
    clock.wind(5 * second);
    await one.deliverDue();
    expect(server.taken.map(({ to }) => String(to[0])).toSorted((a, b) => a.localeCompare(b))).toEqual(
      [0, 1, 2, 3, 4].map((n) => `user${n}@example.com`),
    );
    expect(await rows()).toEqual([]);
  });

  test("tries come after 5 s, 30 s, 2 min, 10 min and then hourly, for two days; then an error tells", async () => {
    const { courier, enqueue, rows, clock, log } = await openPostOffice(nowhere);
    await enqueue();
    const from = clock.now();
    const one = courier(undefined, { send: () => Promise.reject(new Error("no")) });
    const waits: number[] = [];
    for (let row = (await rows())[0]; row; row = (await rows())[0]) {
      clock.wind(row.due_at - clock.now());
      await one.deliverDue();
      const next = (await rows())[0];
      if (next) waits.push(next.due_at - clock.now());
    }
    expect(waits.slice(0, 6)).toEqual([5 * second, 30 * second, 2 * minute, 10 * minute, hour, hour]);
    expect(clock.now() - from).toBe(2 * day);
    expect(log.lines.at(-1)).toMatchObject({
      level: "error",
      event: "mail_expired",
      fields: { attempts: waits.length },
    });
  });

  test.each([10, 30])("tries of a code that lives %d minutes are a minute apart at most", async (minutes) => {
    const { courier, enqueue, rows, clock } = await openPostOffice(nowhere);
    const until = clock.now() + minutes * minute;
    await enqueue(message, { expiresAt: until });
    const one = courier(undefined, { send: () => Promise.reject(new Error("no")) });
    const waits: number[] = [];
    for (let row = (await rows())[0]; row; row = (await rows())[0]) {
      clock.wind(row.due_at - clock.now());
      await one.deliverDue();
      const next = (await rows())[0];
      if (next) waits.push(next.due_at - clock.now());
    }
    expect(waits.slice(0, 4)).toEqual([5 * second, 30 * second, minute, minute]);
    expect(Math.max(...waits)).toBe(minute);
    expect(clock.now()).toBe(until);
  });

  test("a mail that is of no use any more is thrown away unsent", async () => {
    const server = await startMailServer();
    const { courier, enqueue, rows, clock } = await openPostOffice(server.url);
    await enqueue(message, { expiresAt: clock.now() + 10 * minute });
    clock.wind(10 * minute);
    await courier().deliverDue();
    expect([await rows(), server.taken]).toEqual([[], []]);
  });
});

describe("what the mail server answers", () => {
  test("4xx: tried again, with the same Message-ID", async () => {
    let refusals = 1;
    const ids: Array<string | undefined> = [];
    const server = await startMailServer({
      onData: (stream, _session, done) => {
        let raw = "";
        stream.on("data", (chunk: Buffer) => (raw += chunk.toString()));
        stream.on("end", () => {
          ids.push(idOf(raw));
          done(refusals-- > 0 ? smtpAnswer(451, "try later, alice@example.com") : null);
        });
      },
    });
    const { courier, enqueue, rows, clock, log } = await openPostOffice(server.url);
    await enqueue();
    const [queued] = await rows();
    const one = courier();
    await one.deliverDue();
    expect(log.lines).toMatchObject([{ event: "mail_postponed", fields: { reason: "EMESSAGE", smtp: 451 } }]);
    expect(JSON.stringify(log.lines)).not.toContain("alice");
    clock.wind(5 * second);
    await one.deliverDue();
    expect(ids).toEqual([`<${queued?.id}@id.test>`, `<${queued?.id}@id.test>`]);
    expect(await rows()).toEqual([]);
  });

  test("5xx for the recipient: erased with a warning that does not name them", async () => {
    const server = await startMailServer({
      onRcptTo: (address, _session, done) => done(smtpAnswer(550, `no such user ${address.address}`)),
    });
    const { courier, enqueue, rows, log } = await openPostOffice(server.url);
    await enqueue();
    await courier().deliverDue();
    expect(await rows()).toEqual([]);
    expect(log.lines).toMatchObject([{ level: "warn", event: "mail_refused", fields: { smtp: 550 } }]);
    expect(JSON.stringify(log.lines)).not.toContain("alice");
  });

  test("4xx for the recipient: kept", async () => {
    const server = await startMailServer({
      onRcptTo: (_address, _session, done) => done(smtpAnswer(450, "greylisted")),
    });
    const { courier, enqueue, rows } = await openPostOffice(server.url);
    await enqueue();
    await courier().deliverDue();
    expect(await rows()).toHaveLength(1);
  });

  test.each([
    [
      "sender",
      {
        onMailFrom: (_a: unknown, _s: unknown, done: (error?: Error) => void) => done(smtpAnswer(553, "no")),
      },
    ],
    [
      "content",
      {
        onData: (stream: NodeJS.ReadableStream, _s: unknown, done: (error?: Error) => void) =>
          void stream.resume().on("end", () => done(smtpAnswer(554, "no"))),
      },
    ],
  ])("5xx for the %s is ours to mend: kept", async (_, options) => {
    const server = await startMailServer(options);
    const { courier, enqueue, rows } = await openPostOffice(server.url);
    await enqueue();
    await courier().deliverDue();
    expect(await rows()).toHaveLength(1);
  });

  test("a wrong password is ours to mend: kept, and not told", async () => {
    const server = await startMailServer({
      authOptional: false,
      onAuth: (_auth, _session, done) => done(smtpAnswer(535, "no")),
    });
    const { courier, enqueue, rows, log } = await openPostOffice(server.url.replace("//", "//me:hunter2@"));
    await enqueue();
    await courier().deliverDue();
    expect(await rows()).toHaveLength(1);
    expect(log.lines).toMatchObject([{ event: "mail_postponed", fields: { reason: "EAUTH", smtp: 535 } }]);
    expect(JSON.stringify(log.lines)).not.toContain("hunter2");
  });
});

describe("several processes", () => {
  test("deliver 50 mails exactly once between them", async () => {
    const server = await startMailServer();
    const { courier, enqueue, rows, another } = await openPostOffice(server.url);
    for (let n = 0; n < 50; n++) await enqueue({ ...message, to: `user${n}@example.com` });
    const both = [courier(), courier(another())];
    await Promise.all([...both, ...both].map((one) => one.deliverDue()));
    expect(server.taken).toHaveLength(50);
    expect(new Set(server.taken.map(({ to }) => to[0])).size).toBe(50);
    expect(await rows()).toEqual([]);
  });

  test("leave a mail alone that one of them is delivering, and take it when that one has died", async () => {
    const server = await startMailServer();
    const { courier, enqueue, rows, another, clock } = await openPostOffice(server.url);
    const begun = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<"sent">();
    const dying = courier(undefined, {
      send: () => {
        begun.resolve();
        return answer.promise;
      },
    });
    await enqueue();
    const delivery = dying.deliverDue();
    await begun.promise;
    const other = courier(another());
    clock.wind(2 * minute);
    await other.deliverDue();
    expect(server.taken).toHaveLength(0);
    clock.wind(minute);
    await other.deliverDue();
    expect(server.taken).toHaveLength(1);
    answer.resolve("sent");
    await delivery;
    expect(await rows()).toEqual([]);
  });

  test("a late failure of one does not disturb the delivery of the other", async () => {
    const { courier, enqueue, rows, another, clock } = await openPostOffice(nowhere);
    const late = Promise.withResolvers<"sent">();
    const current = Promise.withResolvers<"sent">();
    const begun = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    await enqueue();
    const first = courier(undefined, { send: () => (begun[0].resolve(), late.promise) }).deliverDue();
    await begun[0].promise;
    clock.wind(3 * minute);
    const next = courier(another(), { send: () => (begun[1].resolve(), current.promise) }).deliverDue();
    await begun[1].promise;
    late.reject(new Error("timed out"));
    await first;
    expect((await rows())[0]?.leased_until).toBe(clock.now() + 3 * minute);
    current.resolve("sent");
    await next;
    expect(await rows()).toEqual([]);
  });

  test("wakes at a moment that chance chooses", async () => {
    const server = await startMailServer();
    const office = await openPostOffice(server.url);
    const asked: number[] = [];
    const random = { ...office.random, below: (limit: number) => (asked.push(limit), 3) };
    const one = office.courier(undefined, undefined, random);
    office.onWake(one.wake);
    one.start();
    for (let n = 0; n < 3; n++) await office.enqueue();
    await expect.poll(() => server.taken).toHaveLength(3);
    await one.stop();
    expect(asked.length).toBeGreaterThanOrEqual(1);
    expect(new Set(asked)).toEqual(new Set([500]));
  });

  test("stop waits for the delivery that runs and begins no other", async () => {
    const { courier, enqueue, rows } = await openPostOffice(nowhere);
    for (let n = 0; n < 10; n++) await enqueue();
    const begun = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<"sent">();
    const one = courier(undefined, { send: () => (begun.resolve(), answer.promise) });
    one.start();
    await begun.promise;
    const stopped = one.stop();
    answer.resolve("sent");
    await stopped;
    const left = (await rows()).length;
    expect(left).toBeGreaterThanOrEqual(6);
    await one.deliverDue();
    expect(await rows()).toHaveLength(left);
  });
});

describe("trouble with the store", () => {
  test("a row that does not open is kept, and tells the root key", async () => {
    const { store, rows, enqueue, courier, log } = await openPostOffice(nowhere);
    await enqueue();
    await enqueue();
    const [one, two] = await rows();
    await store.query
      .updateTable("mail_queue")
      .set({ sealed: two?.sealed ?? "" })
      .where("id", "=", one?.id ?? "")
      .execute();
    await store.query
      .deleteFrom("mail_queue")
      .where("id", "=", two?.id ?? "")
      .execute();
    await courier().deliverDue();
    expect(log.lines).toMatchObject([
      { event: "mail_postponed", fields: { reason: "not_authentic", rootKeyId: "one" } },
    ]);
    expect(await rows()).toHaveLength(1);
  });

  test("a store that does not answer is logged", async () => {
    const { another, courier, log } = await openPostOffice(nowhere);
    const gone = another();
    await gone.query.selectFrom("jobs").selectAll().execute();
    await gone.close();
    await courier(gone).deliverDue();
    expect(log.lines).toMatchObject([{ level: "error", event: "mail_queue_failed" }]);
  });
});
