// Makes a checkout ready to run: the packages that the lock file names, at node_modules/.bin/node a Node that runs the
// sources as they are, and the pages, built. Plain JavaScript for any Node from 18 on; quick and silent when there is nothing to do.

import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const node = "node_modules/.bin/node";
const installed = "node_modules/.latchkey-packages";
const built = "dist/pages/.digest";
const lock = ".prepare.lock";

const digestOf = (files) => {
  const hash = createHash("sha256");
  for (const file of files) hash.update(file).update("\0").update(fs.readFileSync(file)).update("\0");
  return hash.digest("hex");
};

const filesIn = (folder) =>
  fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath ?? entry.path}/${entry.name}`)
    // As old a Node as 18 runs this.
    // oxlint-disable-next-line unicorn/no-array-sort
    .sort();

const packageFiles = ["package.json", "package-lock.json"];
const packagesDigest = () => digestOf(packageFiles);
const pagesDigest = () => digestOf([...packageFiles, "scripts/build-pages.ts", ...filesIn("web")]);

// Each record goes with what it tells of, and is written last: a preparation that was cut short counts as none.
const readRecord = (path) => {
  try {
    return fs.readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
};

const isInstalled = () => readRecord(installed) === packagesDigest() && fs.existsSync(node);
const areBuilt = () => readRecord(built) === pagesDigest();
const isPrepared = () => isInstalled() && areBuilt();

const prepare = async () => {
  if (!isInstalled()) {
    const packages = packagesDigest();
    say("Installing packages; the first time this takes about a minute.");
    await install();
    pinNode();
    fs.writeFileSync(installed, packages);
  }
  if (!areBuilt()) {
    const pages = pagesDigest();
    buildPages();
    fs.writeFileSync(built, pages);
  }
};

const buildPages = () => {
  try {
    execFileSync(node, ["scripts/build-pages.ts"], { stdio: ["ignore", "ignore", "pipe"], encoding: "utf8" });
  } catch (error) {
    throw new Error(`The pages could not be built: ${error.stderr || error.message}`, { cause: error });
  }
};

// Tools and the platform's Node are wanted whatever NODE_ENV says; no package needs its install script. The short first
// retry keeps a machine without network from waiting longer than a minute for the reason.
const npmArguments =
  "ci --include=dev --include=optional --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retry-mintimeout=1000";

const install = () =>
  new Promise((resolve, reject) => {
    const npm = spawn("npm", npmArguments.split(" "), { stdio: ["ignore", "ignore", "pipe"] });
    // This process stays until npm is gone, or the next one would install into the same folder.
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => npm.kill("SIGKILL"));
    let complaint = "";
    npm.stderr.setEncoding("utf8").on("data", (text) => (complaint += text));
    npm.once("error", (error) => reject(new Error(`The packages could not be installed: ${error.message}`)));
    npm.once("close", (code, signal) => {
      if (code === 0) resolve();
      else
        reject(
          new Error(
            `The packages could not be installed: ${reasonIn(complaint) ?? `npm ended with ${signal ?? code}`}`,
          ),
        );
    });
  });

const reasonIn = (complaint) =>
  complaint
    .split("\n")
    .map((line) => line.replace(/^npm (error|ERR!)/, "").trim())
    .find((line) => line !== "" && !/^(code|errno|syscall|path|A complete log)\b/.test(line));

// The package's binary may be for another C library than this machine's, so it has to prove that it runs.
const pinNode = () => {
  if (isRecent(versionOf(node))) return;
  if (!isRecent(process.version)) {
    throw new Error(
      `Install Node 24.15 or newer: this is Node ${process.version}, and npm offers no newer one for this machine.`,
    );
  }
  fs.rmSync(node, { force: true });
  fs.symlinkSync(process.execPath, node);
};

const versionOf = (binary) => {
  try {
    return execFileSync(binary, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return "";
  }
};

const isRecent = (version) => {
  const [, major, minor] = /^v(\d+)\.(\d+)\./.exec(version) ?? [];
  return Number(major) > 24 || (Number(major) === 24 && Number(minor) >= 15);
};

// The lock is an empty folder, which git does not see. Its holder touches it every second; one that nobody has touched
// for ten seconds of our own waiting was left behind by a process that was killed.
const takeLock = async () => {
  for (let touched, quiet = 0; ; quiet += 0.2) {
    try {
      fs.mkdirSync(lock);
      return setInterval(() => fs.utimes(lock, new Date(), new Date(), () => {}), 1000);
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const now = fs.statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
    if (touched === undefined) say("Waiting for another process that installs the packages.");
    if (touched !== now) quiet = 0;
    if (quiet > 10) removeLock();
    touched = now;
    await wait(200);
  }
};

const withLock = async (work) => {
  const heartbeat = await takeLock();
  try {
    await work();
  } finally {
    clearInterval(heartbeat);
    removeLock();
  }
};

const removeLock = () => fs.rmSync(lock, { recursive: true, force: true });

const say = (line) => process.stderr.write(`${line}\n`);

process.chdir(fileURLToPath(new URL(".", import.meta.url)));
try {
  if (!isPrepared()) await withLock(prepare);
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}
