import { accountRefusals } from "#accounts";
import { connectRefusals } from "#connect";
import { trackRefusals } from "#track";
import { refusals as kernelRefusals } from "#kernel/errors.ts";

/** Everything that is refused, whoever refuses it, by code. */
export const refusals = { ...kernelRefusals, ...accountRefusals, ...trackRefusals, ...connectRefusals };
