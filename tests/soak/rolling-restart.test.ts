// Two servers behind nginx, which are restarted one after the other, while clients call without a pause.

import { setTimeout as wait } from "node:timers/promises";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { failTimeoutMs, startNginx } from "../support/nginx.ts";
import {
  besides,
  clearSites,
  endProcess,
  newSite,
  startProcess,
  type Running,
  type Settings,
} from "../support/process.ts";

afterEach(clearSites);

const restarts = 100;
const clients = 8;

type Call = {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly body?: string;
};

/** What a proxy may send again to another server when one is gone, and what it may not. */
const calls: readonly Call[] = [
  { method: "GET", path: "/healthz", status: 200 },
  { method: "POST", path: "/connect/telemetry", status: 204, body: '{"event":"x"}' },
  { method: "GET", path: "/openapi.json", status: 200 },
  { method: "POST", path: "/api/v9/me/reset_token", status: 401, body: "{}" },
];

test("a hundred restarts lose no call", { timeout: 1_200_000 }, async () => {
  const site = await newSite({ LATCHKEY_DRAIN_SECONDS: "1", LATCHKEY_TRUSTED_PROXIES: "127.0.0.1" });
  const other: Settings = { ...(await besides(site)), LATCHKEY_DRAIN_SECONDS: "1" };
  const nodes = [site.settings, other];
  const running: Running[] = [];
  for (const settings of nodes) running.push(await startProcess(settings));
  const proxy = await startNginx(running.map(({ port }) => port));
  onTestFinished(proxy.stop);

  let isOver = false;
  let made = 0;
  const lost: string[] = [];
  const origin = new URL(site.settings["LATCHKEY_ORIGIN"] ?? "");
  const client = async (first: number): Promise<void> => {
    for (let turn = first; !isOver; turn += 1) {
      const { method, path, status, body } = calls[turn % calls.length] ??
        calls[0] ?? { method: "", path: "", status: 0 };
      made += 1;
      try {
        const answer = await fetch(`http://127.0.0.1:${proxy.port}${path}`, {
          method,
          headers: { host: origin.host, "content-type": "application/json" },
          ...(body === undefined ? {} : { body }),
        });
        await answer.arrayBuffer();
        if (answer.status !== status) lost.push(`${method} ${path}: ${answer.status}`);
      } catch (error) {
        lost.push(`${method} ${path}: ${String(error)}`);
      }
    }
  };
  const all = Array.from({ length: clients }, (_, index) => client(index));
  for (let restart = 0; restart < restarts; restart += 1) {
    const at = restart % 2;
    const node = running[at];
    const settings: Settings | undefined = nodes[at];
    if (!node || !settings) throw new Error("There are two.");
    await endProcess(node);
    running[at] = await startProcess(settings);
    // nginx goes round a server that did not answer for as long as its configuration says: whoever restarts the other
    // one in that time leaves it with none.
    await wait(2 * failTimeoutMs);
  }
  isOver = true;
  await Promise.all(all);

  expect(lost).toEqual([]);
  expect(made).toBeGreaterThan(restarts * 100);
});
