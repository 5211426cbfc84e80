import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startServer, type RunningServer } from "./running-server.ts";
import { fieldsOf } from "../support/shapes.ts";
import { isShown, openShell, stepsUnder, type Shell, type Step } from "./walk.ts";

const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
const walk = stepsUnder("First account", readme);
const steps = [...walk, ...stepsUnder("When something is refused", readme)];
const connectSteps = stepsUnder("Connect", readme);
const byHand = await readFile(new URL("../../docs/guides/connect-by-hand.md", import.meta.url), "utf8");
const handSteps = stepsUnder("The walk", byHand);

/** A server in a new folder, and a shell there. */
type Place = { readonly folder: string; readonly server: RunningServer; readonly shell: Shell };

const places: Place[] = [];

const openPlace = async (): Promise<Place> => {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-readme-"));
  const place = { folder, server: await startServer(folder), shell: openShell(folder) };
  places.push(place);
  return place;
};

beforeAll(() => {
  try {
    execFileSync("curl", ["--version"]);
  } catch {
    throw new Error("This test types the README's commands: install curl.");
  }
});

afterAll(async () => {
  for (const { folder, server, shell } of places) {
    shell.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
});

const mails = async ({ folder }: Place): Promise<number> =>
  (await readdir(join(folder, "data/outbox"))).filter((name) => name.endsWith(".eml")).length;

const arrived = (place: Place, count: number): Promise<void> =>
  vi.waitFor(async () => expect(await mails(place)).toBe(count), { timeout: 10_000 });

const cli = fileURLToPath(new URL("../../src/cli/index.ts", import.meta.url));

/** As the page has it, but for the port, and for the checkout that the folder is not. */
const type = async ({ server, shell }: Place, { commands, shows }: Step): Promise<string> => {
  const printed = await shell.type(
    commands
      .replaceAll("http://localhost:3000", server.origin)
      .replaceAll("npm run -s latchkey --", `"${process.execPath}" "${cli}"`),
  );
  expect(shows, `the README shows no output of:\n${commands}`).toBeDefined();
  expect(isShown(shows ?? "", printed), `${commands}\nprinted\n${printed}\nand not\n${shows}`).toBe(true);
  return printed;
};

/** What the form sends, once somebody has opened the link and pasted the API token of the account of the walk. */
const linkAsForm = async ({ server: { origin } }: Place, link: string): Promise<void> => {
  const basic = Buffer.from("grace@example.com:a moth in relay 70").toString("base64");
  const me = await fetch(`${origin}/api/v9/me`, { headers: { authorization: `Basic ${basic}` } });
  const { api_token: username } = fieldsOf(await me.json());
  const [, token = ""] = /#session_token=(\w+)/.exec(link) ?? [];
  const linked = await fetch(`${origin}/api-auth/basic/latchkey`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ username, password: "api_token" }),
  });
  expect(linked.status).toBe(200);
};

describe("the README", () => {
  test("shows what its commands print, from the first account to its end", async () => {
    const place = await openPlace();
    expect(place.server.printed()).toContain("Next: open it in a browser and sign up.");
    expect(walk.length).toBeGreaterThanOrEqual(11);
    for (const step of steps) {
      // Who reads the outbox has waited for the second mail: the one at sign-up, and the reset.
      if (step.commands.includes("data/outbox")) await arrived(place, 2);
      await type(place, step);
    }
    // Password changed, and account closed with the way back.
    await arrived(place, 4);
  });

  test("shows what its commands print, from an account to a call through the proxy", async () => {
    // The first of the six starts the server.
    expect(connectSteps).toHaveLength(5);
    const place = await openPlace();
    for (const step of connectSteps) {
      const printed = await type(place, step);
      if (printed.includes("#session_token=")) await linkAsForm(place, printed);
    }
  });

  test("leads to a guide for doing it by hand, whose commands print what it shows", async () => {
    expect(readme).toContain("(docs/guides/connect-by-hand.md)");
    expect(handSteps).toHaveLength(6);
    const place = await openPlace();
    for (const step of handSteps) await type(place, step);
  });

  test("asks one and the same server everywhere", () => {
    const asked = [...steps, ...connectSteps, ...handSteps].flatMap(
      ({ commands }) => commands.match(/https?:\/\/[^/\s"']+/g) ?? [],
    );
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
