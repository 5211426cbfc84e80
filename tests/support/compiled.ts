// Where Node keeps what it has compiled, for processes that run our programs: it halves what a start costs.

import { fileURLToPath } from "node:url";

export const compiled = fileURLToPath(new URL("../../node_modules/.cache/latchkey", import.meta.url));
