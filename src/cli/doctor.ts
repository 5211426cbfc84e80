import { styleText } from "node:util";
import { storeOf } from "#app/compose.ts";
import { systemClock } from "#kernel/clock.ts";
import { inspectConfig, type Config } from "#kernel/config.ts";
import { reasonOf } from "#kernel/errors.ts";
import type { Store } from "#kernel/db/store.ts";
import type { Ending } from "./command.ts";
import { checkClock } from "./doctor/clock.ts";
import { checkConfig } from "./doctor/config.ts";
import { fail, warn, type Finding } from "./doctor/finding.ts";
import { checkFolder } from "./doctor/folder.ts";
import { checkKeys } from "./doctor/keys.ts";
import { checkMail, checkQueue } from "./doctor/mail.ts";
import { checkOrigin, checkServer } from "./doctor/origin.ts";
import { checkExistence, checkStore } from "./doctor/store.ts";
import { commandLog } from "./house.ts";

/** A check that breaks is a finding too, and the others go on. */
const guarded = async (
  name: string,
  check: () => Promise<Finding | readonly Finding[]>,
): Promise<readonly Finding[]> => {
  try {
    return [await check()].flat();
  } catch (error) {
    return [fail(name, `This could not be checked: ${reasonOf(error)}.`, "Mend what failed above, and look again.")];
  }
};

/** What is wrong with a setting makes an answer meaningless that depends on it. */
type Dependence = { readonly name: string; readonly settings: readonly string[] };

const withStore = async (config: Config, store: Store): Promise<readonly Finding[]> => {
  const { findings, hasTables } = await checkStore(store, config);
  if (!hasTables) {
    const { config: _, ...rest } = { config };
    return [...findings, ...(await guarded("clock", () => checkClock(undefined)))];
  }
  return [];
};
