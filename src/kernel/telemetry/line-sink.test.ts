import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createTestClock } from "../mail/testing/store.ts";
import { createLineSink, mostWaiting } from "./line-sink.ts";

const sinkModule = new URL("./line-sink.ts", import.meta.url).href;

/** A process that writes `lines` lines of a kilobyte, says so, and on a line of input writes a last one and ends. */
const writer = (lines: number) =>
  spawn(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `import { createLineSink } from ${JSON.stringify(sinkModule)};
       const sink = createLineSink({ now: () => 0 });
       for (let at = 0; at < ${lines}; at += 1) sink.write(String(at).padStart(1023, "0") + "\\n");
       process.stdout.write("written\\n");
       process.stdin.once("data", async () => {
         await sink.drained(20_000);
         sink.write("last\\n");
         await sink.drained(20_000);
         process.exit(0);
       });`,
    ],
    { stdio: ["pipe", "pipe", "pipe"] },
  );

test("a reader who has stopped reading holds nobody up; what found no room is counted", async () => {
  const lines = (mostWaiting / 1024) * 3;
  const child = writer(lines);
  // Nobody reads standard error, and still it gets here.
  await once(child.stdout, "data");

  let text = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  while (!text.includes("0000\n")) await once(child.stderr, "data");
  child.stdin.end("\n");
  await once(child, "close");

  const read = text.trimEnd().split("\n");
  const told = read.find((line) => line.startsWith("{")) ?? "{}";
  const numbers = read.filter((line) => /^\d+$/.test(line));
  expect(read.at(-1)).toBe("last");
  expect(JSON.parse(told)).toMatchObject({
    event: "log_lines_dropped",
    level: "warn",
    lines: lines - numbers.length,
  });
  expect(numbers.length).toBeGreaterThan(mostWaiting / 1024 - 2);
  expect(numbers.length).toBeLessThan(lines);
});

test("a reader who is gone ends nothing", async () => {
  const child = writer(10);
  child.stderr.destroy();
  await once(child.stdout, "data");
  child.stdin.end("\n");
  const [code] = await once(child, "close");
  expect(code).toBe(0);
});

test("a full disk costs lines and throws nothing; the next disk is told how many", () => {
  const clock = createTestClock();
  const full = openSync("/dev/full", "w");
  const sink = createLineSink(clock, full);
  expect(() => sink.write("lost\n")).not.toThrow();
  expect(() => sink.write("lost too\n")).not.toThrow();
  closeSync(full);

  // Room again, under the same number.
  const path = join(tmpdir(), `latchkey-log-${process.pid}`);
  const room = openSync(path, "w");
  expect(room).toBe(full);
  sink.write("kept\n");
  closeSync(room);
  const [told, kept] = readFileSync(path, "utf8").trimEnd().split("\n");
  unlinkSync(path);
  expect(JSON.parse(told ?? "")).toEqual({
    level: "warn",
    time: "2026-11-21T12:00:00.000Z",
    pid: process.pid,
    event: "log_lines_dropped",
    lines: 2,
  });
  expect(kept).toBe("kept");
});

test("a process without a standard error starts all the same", () => {
  const closed = openSync("/dev/null", "w");
  closeSync(closed);
  const sink = createLineSink(createTestClock(), closed);
  expect(() => sink.write("lost\n")).not.toThrow();
});
