// What the server's work costs, as ratios. Absolute figures depend on the machine; these don't.
// Arguments: rounds (9), and a part alone: `checks`, `connect` or `strangers`, whose figures are times.

import { benchChecks } from "./checks.ts";
import { benchConnect } from "./connect.ts";
import { benchStrangers } from "./strangers.ts";

const parts: Readonly<Record<string, () => Promise<void>>> = {
  checks: benchChecks,
  connect: benchConnect,
  strangers: benchStrangers,
};

const [, , , part] = process.argv;
for (const [name, bench] of Object.entries(parts)) if (part === undefined || part === name) await bench();
