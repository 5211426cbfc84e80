import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { beginSignUp, isRefused } from "../support/begun-call.ts";
import { clearSites, newSite, startProcess, type Running } from "../support/process.ts";
import { fieldsOf } from "../support/shapes.ts";

/** A fault that nobody catches, anywhere in the process: it is told, what was begun is answered, and the process ends. */

afterEach(clearSites);

const faults = fileURLToPath(new URL("../support/faults-by-signal.ts", import.meta.url));

const start = async (): Promise<Running> =>
  startProcess((await newSite()).settings, { flags: ["--import", faults] });

const linesOf = (err: string) =>
  err
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => fieldsOf(JSON.parse(line)));

/** A start and an end in order have a line of their own. */
const faultsIn = (err: string) => linesOf(err).filter(({ level }) => level === "error");

test.each([
  ["SIGUSR2", "exception_uncaught", { type: "Error", message: "Thrown at https://[secret]@example.com/" }],
  ["SIGALRM", "rejection_unhandled", { type: "Error", message: "Rejected with Bearer [secret]" }],
  ["SIGWINCH", "exception_uncaught", "[string]"],
  ["SIGURG", "rejection_unhandled", "[string]"],
] as const)(
  "%s: one line, no new call, the running one gets its answer, code 1",
  async (signal, event, error) => {
    const running = await start();
    const call = beginSignUp(running, "late@example.com");
    await call.begun();

    running.signal(signal);
    await expect.poll(() => isRefused(running.port), { timeout: 10_000 }).toBe(true);
    call.finish();
    expect(await call.closed).toMatch(/^HTTP\/1\.1 200 /m);
    const { code, err } = await running.ended;
    expect(code).toBe(1);
    expect(faultsIn(err)).toMatchObject([{ event, error }]);
    expect(err).not.toContain("hunter22");
  },
);

test("A second fault ends it at once, and is told too", async () => {
  const running = await start();
  const call = beginSignUp(running, "never@example.com");
  call.closed.catch(() => undefined);
  await call.begun();

  running.signal("SIGUSR2");
  await expect.poll(() => isRefused(running.port), { timeout: 10_000 }).toBe(true);
  running.signal("SIGALRM");
  const { code, err } = await running.ended;
  expect(code).toBe(1);
  expect(faultsIn(err)).toMatchObject([{ event: "exception_uncaught" }, { event: "rejection_unhandled" }]);
});

test("A fault while it is being stopped is told, and the code says so", async () => {
  const running = await start();
  const call = beginSignUp(running, "late@example.com");
  await call.begun();

  running.signal("SIGTERM");
  await expect.poll(() => isRefused(running.port), { timeout: 10_000 }).toBe(true);
  running.signal("SIGUSR2");
  await expect.poll(() => running.err(), { timeout: 10_000 }).toContain("exception_uncaught");
  call.finish();
  expect(await call.closed).toMatch(/^HTTP\/1\.1 200 /m);
  expect((await running.ended).code).toBe(1);
});
