// What the server's work costs, as ratios. Absolute figures depend on the machine; these don't.
// Arguments: rounds (9), and a part alone: `checks` or `connect`.

import { benchChecks } from "./checks.ts";
import { benchConnect } from "./connect.ts";

const parts: Readonly<Record<string, () => Promise<void>>> = { checks: benchChecks, connect: benchConnect };

const [, , , part] = process.argv;
for (const [name, bench] of Object.entries(parts)) if (part === undefined || part === name) await bench();
