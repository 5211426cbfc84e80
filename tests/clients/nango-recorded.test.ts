import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connections, reconnects } from "../support/recorded/connections.ts";
import { expectAsRecorded, repairs, type Exchange } from "../support/recorded/exchange.ts";
import { integrations, whoMayCall } from "../support/recorded/first-calls.ts";
import { proxy } from "../support/recorded/proxy.ts";
import { startRecordedHouse, type RecordedHouse } from "../support/recorded/scene.ts";
import { connectSessions } from "../support/recorded/sessions.ts";
import { edges, submitting } from "../support/recorded/submitting.ts";

/**
 * Requests that a server of the original answered, and what it answered: the same status, the same fields, the same code.
 * Where Latchkey answers otherwise on purpose, the repair stands beside it, and why. A refusal always has a sentence too,
 * which the original often leaves out.
 */

let recorded: RecordedHouse;
beforeAll(async () => {
  recorded = await startRecordedHouse();
});
afterAll(() => recorded.stop());

const parts: readonly (readonly [string, readonly Exchange[]])[] = [
  ["who may call", whoMayCall],
  ["integrations and providers", integrations],
  ["connect sessions", connectSessions],
  ["submitting credentials", submitting],
  ["edge cases of submitting", edges],
  ["connections", connections],
  ["the proxy", proxy],
  ["linking anew", reconnects],
];

describe.each(parts)("%s", (_, exchanges) => {
  test.for(exchanges.map((exchange) => [exchange.title, exchange] as const))("%s", async ([, exchange]) => {
    expectAsRecorded(exchange, await exchange.ask(await recorded.open()));
  });
});

describe("every repair", () => {
  const used = new Set(parts.flatMap(([, all]) => all.flatMap(({ repaired }) => repaired?.why ?? [])));

  test.for(Object.entries(repairs))("%s is needed, and stands in the guide", async ([name, { heading }]) => {
    const guide = await readFile(
      new URL("../../docs/guides/differences-from-nango.md", import.meta.url),
      "utf8",
    );

    expect([...used]).toContain(name);
    expect(guide).toContain(`\n## ${heading}\n`);
  });
});
