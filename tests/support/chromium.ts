// The browser that the pages are tried in: Debian's Chromium without its windows, or whichever is there.

import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

type Wanted = { readonly places: readonly string[]; readonly packages: readonly string[] };

/** With windows, even where nobody sees them. */
const whole: Wanted = {
  places: [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  ],
  packages: ["chromium"],
};

/** The same engine; without all that a window brings along it needs two thirds of the time. */
const small: Wanted = {
  places: ["/usr/bin/chromium-headless-shell", ...whole.places],
  // Older systems know the whole one only.
  packages: ["chromium-headless-shell", ...whole.packages],
};

const isThere = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

const given = process.env["LATCHKEY_TEST_CHROMIUM"];

const find = async ({ places }: Wanted): Promise<string | undefined> => {
  for (const path of given === undefined ? places : [given]) if (await isThere(path)) return path;
  return undefined;
};

const install = async ({ packages }: Wanted): Promise<void> => {
  const options = { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }, maxBuffer: 64 * 1024 * 1024 };
  // One index of several that can't be had is no reason not to try.
  await run("apt-get", ["update"], options).catch(() => undefined);
  const get = (browser: string): Promise<unknown> =>
    // With a font, or there would be nothing to measure.
    run("apt-get", ["install", "--yes", "--no-install-recommends", browser, "fonts-dejavu-core"], options);
  const [first = "chromium", ...others] = packages;
  let trying = get(first);
  for (const other of others) trying = trying.catch(() => get(other));
  await trying;
};

const findOrInstall = async (wanted: Wanted): Promise<string> => {
  const found = await find(wanted);
  if (found !== undefined) return found;
  const failed =
    process.getuid?.() === 0 ? await install(wanted).catch((error: unknown) => error) : undefined;
  const installed = await find(wanted);
  if (installed !== undefined) return installed;
  throw new Error(
    "The pages are tried in Chromium, and there is none: install it (apt-get install chromium), or name its program in LATCHKEY_TEST_CHROMIUM.",
    { cause: failed },
  );
};

/** The path of its program. Installed by apt-get where it is missing and we may. @throws Error that says what to do */
export const findChromium = (): Promise<string> => findOrInstall(small);

/** One that has what belongs to a person's own browser, such as saved passwords. @throws Error that says what to do */
export const findWholeChromium = (): Promise<string> => findOrInstall(whole);
