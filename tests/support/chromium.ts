// The browser that the pages are tried in: Debian's Chromium, or whichever is there.

import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

const places = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

const isThere = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

const find = async (): Promise<string | undefined> => {
  const given = process.env["LATCHKEY_TEST_CHROMIUM"];
  for (const path of given === undefined ? places : [given]) if (await isThere(path)) return path;
  return undefined;
};

const install = async (): Promise<void> => {
  const options = { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }, maxBuffer: 64 * 1024 * 1024 };
  // One index of several that can't be had is no reason not to try.
  await run("apt-get", ["update"], options).catch(() => undefined);
  // With a font, or there would be nothing to measure.
  const packages = ["chromium", "fonts-dejavu-core"];
  await run("apt-get", ["install", "--yes", "--no-install-recommends", ...packages], options);
};

/** The path of its program. Installed by apt-get where it is missing and we may. @throws Error that says what to do */
export const findChromium = async (): Promise<string> => {
  const found = await find();
  if (found !== undefined) return found;
  const failed = process.getuid?.() === 0 ? await install().catch((error: unknown) => error) : undefined;
  const installed = await find();
  if (installed !== undefined) return installed;
  throw new Error(
    "The pages are tried in Chromium, and there is none: install it (apt-get install chromium), or name its program in LATCHKEY_TEST_CHROMIUM.",
    { cause: failed },
  );
};
