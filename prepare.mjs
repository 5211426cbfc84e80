// Makes a checkout ready to run: packages as the lock file names them, and a Node that can run the sources at
// node_modules/.bin/node. Plain JavaScript for any Node from 18 on; silent and quick when nothing is to do.

import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL(".", import.meta.url)));

const record = "node_modules/.latchkey.json";
const node = "node_modules/.bin/node";
const lock = ".prepare.lock";

// npm ci empties node_modules, and the record with it: an install that was cut short counts as none.
const isPrepared = () => {
  try {
    return JSON.parse(readFileSync(record, "utf8")).packages === digest() && existsSync(node);
  } catch {
    return false;
  }
};

const digest = () => {
  const hash = createHash("sha256");
  for (const file of ["package.json", "package-lock.json"]) hash.update(readFileSync(file)).update("\0");
  return hash.digest("hex");
};

const prepare = async () => {
  console.error("Installing packages, which takes a minute the first time …");
  const packages = digest();
  await install();
  pinNode();
  writeFileSync(record, `${JSON.stringify({ packages })}\n`);
};

...
