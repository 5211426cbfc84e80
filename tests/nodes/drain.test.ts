// The end of a server, as what stands in front of it sees it.

import { afterAll, afterEach, describe, expect, test } from "vitest";
import { beginSignUp, isRefused } from "../support/begun-call.ts";
import { startHouse, stopHouses } from "../support/house.ts";
import { head, openLine, type OpenLine } from "../support/open-line.ts";
import { clearSites, newSite, startProcess } from "../support/process.ts";

afterEach(clearSites);
afterAll(stopHouses);

const lines: OpenLine[] = [];
afterEach(() => {
  for (const line of lines.splice(0)) line.hangUp();
});

const open = (port: number, bytes: string): OpenLine => {
  const line = openLine(port);
  line.send(bytes);
  lines.push(line);
  return line;
};

const count = (line: OpenLine, pattern: RegExp): number => line.text().match(pattern)?.length ?? 0;

test("it says so first, and still answers: on open connections, on new ones, and what was half sent", async () => {
  const site = await newSite({ LATCHKEY_DRAIN_SECONDS: "2" });
  const running = await startProcess(site.settings);
  const { port } = running;
  const host = `Host: localhost:${port}`;
  const get = (path: string): string => head(`GET ${path} HTTP/1.1`, host);
  const kept = open(port, get("/healthz"));
  await expect.poll(() => kept.status()).toBe(200);
  expect(kept.text()).toMatch(/^connection: keep-alive/im);
  const half = open(port, `GET /healthz HTTP/1.1\r\n${host}\r\n`);

  running.signal("SIGTERM");
  await expect.poll(async () => (await running.send("GET", "/readyz")).status).toBe(503);
  const going = await running.send("GET", "/readyz");
  const alive = await running.send("GET", "/healthz");
  kept.send(get("/healthz"));
  half.send("\r\n");

  expect([going.json(), going.headers["retry-after"], going.headers["x-content-type-options"]]).toEqual([
    "The server is stopping. Try again in a moment.",
    "1",
    "nosniff",
  ]);
  expect([alive.status, alive.headers["connection"]]).toEqual([200, "close"]);
  await expect.poll(kept.isClosed).toBe(true);
  await expect.poll(half.isClosed).toBe(true);
  expect(count(kept, /HTTP\/1\.1 200/g)).toBe(2);
  expect(count(kept, /^connection: close/gim)).toBe(1);
  expect(half.status()).toBe(200);

  const { code } = await running.ended;
  expect(code).toBe(0);
});

test("a call that is running gets its answer, and what comes behind it on its connection too", async () => {
  const of = await startHouse();
  const call = beginSignUp(of.config, "late@example.com");
  await call.begun();
  const host = `Host: ${of.config.origin.host}`;
  const half = open(of.config.port, `GET /healthz HTTP/1.1\r\n${host}\r\n`);
  await of.send("GET", "/healthz");

  const stopped = of.stop();
  await expect.poll(() => isRefused(of.config.port)).toBe(true);
  half.send("\r\n");
  call.finish();

  expect(await call.closed).toMatch(/^HTTP\/1\.1 200 /m);
  await expect.poll(half.isClosed).toBe(true);
  expect([half.status(), count(half, /^connection: close/gim)]).toEqual([200, 1]);
  await stopped;
});

describe("signals", () => {
  test("SIGHUP and SIGUSR1 end nothing and open nothing; start, signals and end are lines of the log", async () => {
    const site = await newSite();
    const running = await startProcess(site.settings);
    const events = (): readonly unknown[] =>
      running
        .err()
        .split("\n")
        .filter((line) => line !== "")
        .map((line): unknown => JSON.parse(line));
    expect(events()).toEqual([
      expect.objectContaining({ event: "started", listening: `127.0.0.1:${running.port}` }),
    ]);
    for (const signal of ["SIGHUP", "SIGUSR1"] as const) {
      running.signal(signal);
      await expect
        .poll(() => events().at(-1))
        .toEqual(expect.objectContaining({ event: "signal_ignored", signal }));
    }
    expect(running.err()).not.toContain("Debugger");
    expect((await running.send("GET", "/healthz")).status).toBe(200);

    running.signal("SIGTERM");
    await running.ended;
    expect(events().slice(3)).toEqual([
      expect.objectContaining({ event: "stopping", signal: "SIGTERM" }),
      expect.objectContaining({ event: "stopped", cut: 0 }),
    ]);
  });
});
