import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { clearSites, newSite, startProcess } from "../support/process.ts";
import { findSecrets } from "../support/secrets.ts";
import { basicHeader, sessionOf } from "../support/http.ts";

afterEach(clearSites);

/** A picture of the whole heap, taken after the garbage was collected. */
const heapOf = async (folder: string): Promise<Buffer> => {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".heapsnapshot"));
  const picture = await readFile(join(folder, names[0] ?? ""));
  // Its last part is the list of strings; before that it is still being written.
  if (names.length !== 1 || !/\]\}\s*$/.test(picture.subarray(-16).toString()))
    throw new Error("No picture yet.");
  return picture;
};

test("A41 a password that was right, or wrong, does not stay in the memory of the process", async () => {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-heap-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { settings } = await newSite();
  const flags = ["--heapsnapshot-signal=SIGUSR2", `--diagnostic-dir=${folder}`];
  const running = await startProcess(settings, { flags });
  const email = "remembered-by-the-picture@example.com";
  const right = "Rk7-quiet-river-at-noon-Zq3";
  const wrong = "Wm4-other-river-at-dusk-Xv9";
  const json = { email, password: right, tos_accepted_for: "track" };
  const session = sessionOf(await running.send("POST", "/api/signup", { json }));
  await running.send("POST", "/api/sessions", { json: { email, password: right } });
  await running.send("POST", "/api/sessions", { json: { email, password: wrong } });
  for (const password of [right, wrong, right])
    await running.send("GET", "/api/v9/me", { basic: [email, password] });
  await running.send("GET", "/api/v9/me", { session });
  // Those calls are over, and so are their connections: what the parser of a connection holds is the next call's.
  running.close();
  for (let calls = 0; calls < 3; calls += 1)
    await running.send("GET", "/healthz", { headers: { connection: "close" } });

  running.signal("SIGUSR2");
  await expect
    .poll(
      () =>
        heapOf(folder).then(
          () => true,
          () => false,
        ),
      { timeout: 20_000, interval: 200 },
    )
    .toBe(true);
  const picture = await heapOf(folder);

  // It is a picture of this process: who was let in is remembered, and may be.
  expect(picture.includes(email)).toBe(true);
  const secrets = new Map<string, string>([
    ["the right password", right],
    ["the wrong password", wrong],
    ["the header with the right password", basicHeader(email, right)],
    ["the header with the wrong password", basicHeader(email, wrong)],
    ["the cookie", session ?? ""],
  ]);
  expect(findSecrets(secrets, picture)).toEqual([]);
});
