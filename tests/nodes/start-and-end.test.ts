import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { beginSignUp, isRefused } from "../support/begun-call.ts";
import {
  beginProcess,
  besides,
  clearSites,
  endProcess,
  newSite,
  startProcess,
  type Running,
} from "../support/process.ts";
import { roundsOf } from "../support/rounds.ts";
import { whileStarted } from "../support/start-here.ts";

afterEach(clearSites);

const signUp = (running: Running, email: string) =>
  running.send("POST", "/api/signup", {
    json: { email, password: "a quiet river at noon", tos_accepted_for: "track" },
  });

/** What the log says besides that it started and ended. */
const unexpected = (err: string): readonly string[] =>
  err.split("\n").filter((line) => !/^$|"event":"(started|stopping|stopped)"/.test(line));

test("a start prints address, mail place and next step on standard output, and nothing else but that it began", async () => {
  const { settings, config } = await newSite();
  const running = await startProcess(settings);
  await signUp(running, "ada@example.com");
  const { code, out, err } = await endProcess(running);

  expect(out).toBe(
    [
      `Latchkey is at ${config.origin.origin}`,
      `Mail is written to ${join(config.dataFolder, "outbox")}`,
      "Next: open it in a browser and sign up.",
      "",
    ].join("\n"),
  );
  expect(unexpected(err)).toEqual([]);
  expect(code).toBe(0);
});

test("the first start makes folder, keys and database for its own user only", async () => {
  const { settings, config } = await newSite();
  const running = await startProcess(settings);
  await signUp(running, "ada@example.com");
  // Until it is whole, a mail is a file of another name.
  const mails = async () =>
    (await readdir(join(config.dataFolder, "outbox"))).filter((name) => name.endsWith(".eml"));
  await expect.poll(async () => (await mails()).length).toBe(1);

  const modeOf = async (...path: readonly string[]): Promise<number> =>
    (await stat(join(config.dataFolder, ...path))).mode & 0o777;
  expect(await modeOf()).toBe(0o700);
  expect(await modeOf("root.keys")).toBe(0o600);
  expect(await modeOf("outbox")).toBe(0o700);
  const names = (await readdir(config.dataFolder, { recursive: true })).toSorted();
  for (const name of names) expect((await modeOf(name)) & 0o077, name).toBe(0);
  const database = config.databaseUrl ? [] : ["latchkey.db", "latchkey.db-shm", "latchkey.db-wal"];
  expect(names).toEqual([
    ...database,
    "outbox",
    expect.stringMatching(/^outbox\/\w+-[0-9a-f]{32}\.eml$/),
    "root.keys",
  ]);
});

test("a later start makes nothing anew: keys, accounts and sessions are those of before", async () => {
  const { settings, config } = await newSite();
  const first = await startProcess(settings);
  const cookie = (await signUp(first, "ada@example.com")).cookies[0]?.split(";")[0] ?? "";
  const keys = await stat(join(config.dataFolder, "root.keys"));
  await endProcess(first);

  const second = await startProcess(settings);
  expect((await second.send("GET", "/api/v9/me", { headers: { cookie } })).json()).toMatchObject({
    email: "ada@example.com",
  });
  const again = await stat(join(config.dataFolder, "root.keys"));
  expect([again.ino, again.mtimeMs]).toEqual([keys.ino, keys.mtimeMs]);
});

test("two processes that start at once on a store that is new both come up, with one set of keys", async () => {
  const site = await newSite();
  const [one, other] = await Promise.all([startProcess(site.settings), startProcess(await besides(site))]);

  expect((await readdir(site.config.dataFolder)).filter((name) => name.includes("root.keys"))).toEqual([
    "root.keys",
  ]);
  const signUps = await Promise.all(
    Array.from({ length: 6 }, (_, index) => signUp(index % 2 === 0 ? one : other, `p${index}@example.com`)),
  );
  for (const { status, cookies } of signUps) {
    expect(status).toBe(200);
    const cookie = cookies[0]?.split(";")[0] ?? "";
    for (const node of [one, other]) {
      expect((await node.send("GET", "/api/v9/me", { headers: { cookie } })).status).toBe(200);
    }
  }
  const published = await Promise.all([one, other].map((node) => node.send("GET", "/.well-known/jwks.json")));
  expect(published[0]?.text).toBe(published[1]?.text);
  expect([one, other].flatMap(({ err }) => unexpected(err()))).toEqual([]);
});

test("a first start that is killed, again and again, leaves nothing that the next one can't go on from", async () => {
  const { settings, config } = await newSite();
  const rounds = roundsOf({ test: 4, soak: 24 });
  for (let round = 0; round < rounds; round += 1) {
    const { kill } = beginProcess(settings);
    // From early in a start to the end of one.
    await wait(150 + (round * 420) / (rounds - 1));
    await kill();
  }
  const running = await startProcess(settings);
  expect((await signUp(running, "ada@example.com")).status).toBe(200);
  expect((await readdir(config.dataFolder)).filter((name) => name === "root.keys")).toHaveLength(1);
});

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s lets the running call end with its answer, takes no new one, and ends with code 0",
  async (signal) => {
    const { settings } = await newSite();
    const running = await startProcess(settings);
    const call = beginSignUp(running, "late@example.com");
    await call.begun();
    // A connection that stays open between two calls holds nothing up.
    expect((await running.send("GET", "/healthz")).status).toBe(200);

    running.signal(signal);
    await expect.poll(() => isRefused(running.port), { timeout: 5000 }).toBe(true);
    call.finish();
    const answer = await call.closed;
    expect(answer).toMatch(/^HTTP\/1\.1 200 /m);
    expect(answer).toContain("__Secure-accounts-session=");
    const { code, err } = await running.ended;
    expect([code, unexpected(err)]).toEqual([0, []]);

    // The port is free at once, and what was answered is there.
    const next = await startProcess(settings);
    const basic = ["late@example.com", "a quiet river at noon"] as const;
    expect((await next.send("GET", "/api/v9/me", { basic })).status).toBe(200);
  },
);

test("calls that wait for their hash when the server is told to end get their answers too", async () => {
  const { settings, config } = await newSite({ LATCHKEY_HASHES: "1", LATCHKEY_SIGN_UPS: "1000" });
  const begin = async () => {
    const calls = Array.from({ length: 8 }, (_, index) => beginSignUp(config, `queued${index}@example.com`));
    for (const call of calls) await call.begun();
    for (const call of calls) call.finish();
    await expect
      .poll(() => calls.some((call) => call.isAnswered()), { timeout: 10_000, interval: 1 })
      .toBe(true);
    return calls;
  };
  // On a slow machine the last of them waits longer than a server lets it.
  const patience = { longestHashWaitMs: 60_000, drainMs: 60_000 };
  const calls = await whileStarted(settings, begin, patience);

  for (const call of calls) expect(await call.closed).toMatch(/^HTTP\/1\.1 200 /m);
});

test("a second signal ends it at once, although a call is running", async () => {
  const { settings } = await newSite();
  const running = await startProcess(settings);
  const call = beginSignUp(running, "never@example.com");
  call.closed.catch(() => undefined);
  await call.begun();

  let isOver = false;
  void running.ended.finally(() => {
    isOver = true;
  });
  running.signal("SIGINT");
  // Typed again and again: what comes in the moment of the first one is taken for the same.
  const typed = async (): Promise<boolean> => {
    running.signal("SIGINT");
    return isOver;
  };
  await expect.poll(typed, { timeout: 5000, interval: 100 }).toBe(true);
  expect((await running.ended).code).toBe(1);
});

test("one Ctrl-C that arrives twice is one", async () => {
  const { settings } = await newSite();
  const running = await startProcess(settings);
  const call = beginSignUp(running, "twice@example.com");
  await call.begun();

  running.signal("SIGINT");
  running.signal("SIGINT");
  await expect.poll(() => isRefused(running.port), { timeout: 5000 }).toBe(true);
  call.finish();
  expect(await call.closed).toMatch(/^HTTP\/1\.1 200 /m);
  expect((await running.ended).code).toBe(0);
});

test("a call that never comes to its end does not keep the server from its own", async () => {
  const { settings, config } = await newSite();
  const begin = async () => {
    const call = beginSignUp(config, "never@example.com");
    const left = call.closed.catch(() => "");
    await call.begun();
    return { left };
  };
  const { left } = await whileStarted(settings, begin, { drainMs: 300 });

  expect(await left).not.toContain("HTTP/1.1 200");
});
