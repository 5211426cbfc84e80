import { describe, expect, test } from "vitest";

import { createTestClock } from "../mail/testing/store.ts";
import { Secret } from "../secret.ts";
import { createLog, type LogFields } from "./log.ts";

const logged = (fields: LogFields, event = "something"): { text: string; line: Record<string, unknown> } => {
  let text = "";
  const log = createLog({
    level: "debug",
    clock: createTestClock(),
    destination: { write: (line) => void (text += line) },
  });
  log.info(event, fields);
  return { text, line: JSON.parse(text) };
};

describe("a log line", () => {
  test("is one line of JSON with the event's name, the level's name and the time", () => {
    const { text, line } = logged({ jobs: 3, at: new Date(0), list: ["a", 1n, null], nothing: undefined });
    expect(text.endsWith("}\n")).toBe(true);
    expect(line).toEqual({
      level: "info",
      time: "2026-11-21T12:00:00.000Z",
      pid: process.pid,
      event: "something",
      jobs: 3,
      at: "1970-01-01T00:00:00.000Z",
      list: ["a", "1", null],
    });
  });

  test("stays one line, whatever it carries", () => {
    const { text, line } = logged({ agent: 'x\n{"event":"forged"}\r\n', event: "forged" });
    expect(text.trimEnd()).not.toMatch(/[\r\n]/);
    expect(line["event"]).toBe("something");
  });

  test("is written at the level that was asked for, and above", () => {
    const lines: string[] = [];
    const log = createLog({
      level: "warn",
      clock: createTestClock(),
      destination: { write: (line) => void lines.push(line) },
    });
    for (const level of ["debug", "info", "warn", "error"] as const) log[level](level);
    expect(lines.map((line) => /"event":"(\w+)"/.exec(line)?.[1])).toEqual(["warn", "error"]);
  });
});

describe("A29: secrets have no way in", () => {
  const secret = "hunter2hunter2";

  test.each<[string, LogFields]>([
    [
      "as a Secret",
      {
        config: { smtp: new Secret(secret) },
        list: [new Secret(secret)],
        map: new Map([["a", new Secret(secret)]]),
      },
    ],
    ["under a secret's name", { password: secret, body: { api_token: secret, currentPassword: secret } }],
    [
      "as headers",
      { headers: { Authorization: `Basic ${secret}`, cookie: `a=${secret}`, "set-cookie": [secret] } },
    ],
    [
      "in a URL",
      { url: `postgres://latchkey:${secret}@db/latchkey`, odd: `smtp://me:a/b?${secret}@mail:25` },
    ],
    ["in a URL object", { url: new URL(`https://me:${secret}@example.com/`) }],
    ["in an error's message and stack", { error: new Error(`connect to postgres://a:${secret}@db failed`) }],
    [
      "in an error's cause",
      { error: new Error("failed", { cause: new Error(`sent Authorization: Bearer ${secret}`) }) },
    ],
    [
      "in an error's other fields",
      { error: Object.assign(new Error("failed"), { detail: secret, parameters: [secret] }) },
    ],
    [
      "in one of several errors",
      { error: new AggregateError([new Error(`smtp://me:${secret}@mail`)], "all failed") },
    ],
    ["as bytes", { key: Buffer.from(secret) }],
    ["in a JWT", { text: `see eyJhbGciOiJFZERTQSJ9.${secret}.${secret}` }],
  ])("%s", (_, fields) => {
    const { text } = logged(fields);
    expect(text).not.toContain(secret);
    expect(text).not.toContain(Buffer.from(secret).toString("base64"));
    expect(text).not.toContain(JSON.stringify([...Buffer.from(secret)]).slice(1, -1));
  });

  test("what is no secret stays readable", () => {
    const stack = "Error: x\n    at file:///srv/latchkey/node_modules/@fastify/cors/index.js:1:2";
    const error = Object.assign(new Error("no", { cause: new Error("deep") }), {
      code: "SQLITE_FULL",
      stack,
    });
    expect(logged({ error, url: "https://example.com/a@b" }).line).toMatchObject({
      error: { type: "Error", message: "no", code: "SQLITE_FULL", stack, cause: { message: "deep" } },
    });
  });

  test("long, deep and circular things end", () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    const { text } = logged({ circle, long: "x".repeat(1e6), many: Array.from({ length: 1e4 }, () => 1) });
    expect(text.length).toBeLessThan(20_000);
  });
});
