import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startServer, type RunningServer } from "./running-server.ts";
import { isShown, openShell, stepsUnder, type Shell } from "./walk.ts";

const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
const walk = stepsUnder("First account", readme);
const steps = [...walk, ...stepsUnder("When something is refused", readme)];

let folder: string;
let server: RunningServer | undefined;
let shell: Shell;

beforeAll(async () => {
  try {
    execFileSync("curl", ["--version"]);
  } catch {
    throw new Error("This test types the README's commands: install curl.");
  }
  folder = await mkdtemp(join(tmpdir(), "latchkey-readme-"));
  server = await startServer(folder);
  shell = openShell(folder);
});

afterAll(async () => {
  shell?.close();
  await server?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

const mails = async (): Promise<number> =>
  (await readdir(join(folder, "data/outbox"))).filter((name) => name.endsWith(".eml")).length;

const arrived = (count: number): Promise<void> =>
  vi.waitFor(async () => expect(await mails()).toBe(count), { timeout: 10_000 });

describe("the README", () => {
  test("has the walk, and a start that says what to do first", () => {
    expect(server?.printed()).toContain("Next: open it in a browser and sign up.");
    expect(walk.length).toBeGreaterThanOrEqual(11);
  });

  test("shows what its commands print, from the first account to its end", async () => {
    for (const { commands, shows } of steps) {
      // Who reads the outbox has waited for the second mail: the one at sign-up, and the reset.
      if (commands.includes("data/outbox")) await arrived(2);

      const printed = await shell.type(commands.replaceAll("http://localhost:3000", server?.origin ?? ""));

      expect(shows, `the README shows no output of:\n${commands}`).toBeDefined();
      expect(isShown(shows ?? "", printed), `${commands}\nprinted\n${printed}\nand not\n${shows}`).toBe(true);
    }
    // Password changed, and account closed with the way back.
    await arrived(4);
  });

  test("asks one and the same server everywhere", () => {
    const asked = steps.flatMap(({ commands }) => commands.match(/https?:\/\/[^/\s"']+/g) ?? []);
    expect([...new Set(asked)]).toEqual(["http://localhost:3000"]);
  });
});

describe("what a page shows", () => {
  test.each([
    ["a\n…\nc", "a\r\nb\r\nc\n", true],
    ["a…c", "abc", true],
    ["a…c", "ac", false],
    ["a.c", "abc", false],
    ["403", "200", false],
    ["403", "403\n403", false],
  ])("%j for %j: %s", (shows, printed, is) => {
    expect(isShown(shows, printed)).toBe(is);
  });
});
