import { minute, second, systemClock } from "#kernel/clock.ts";
import { databaseTime, newestEventAt } from "#kernel/db/inspect.ts";
import type { Store } from "#kernel/db/store.ts";
import { timeOf } from "../house.ts";
import { fail, ok, warn, type Finding } from "./finding.ts";

const synchronise = "Let the machines take their time from NTP.";
const mostSkewMs = 5 * second;

/** How far the database's clock is ahead of ours, in milliseconds. */
const skewOf = async (store: Store): Promise<number> => {
  const before = systemClock.now();
  const theirs = await databaseTime(store);
  return theirs - (before + systemClock.now()) / 2;
};

/** Sessions, codes and limits go by the clock. @param store when its tables can be asked */
export const checkClock = async (store: Store | undefined): Promise<Finding> => {
  const now = systemClock.now();
  const year = new Date(now).getUTCFullYear();
  if (year < 2026 || year > 2100)
    return fail("clock", `This machine believes it is ${timeOf(now)}.`, synchronise);
  const newest = store && (await newestEventAt(store));
  if (newest !== undefined && newest > now + minute) {
    return warn(
      "clock",
      `It is ${timeOf(now)} here, but the store tells of something that happened at ${timeOf(newest)}.`,
      synchronise,
    );
  }
  if (store?.kind === "postgres") {
    const skew = await skewOf(store);
    if (Math.abs(skew) > mostSkewMs) {
      const seconds = Math.round(Math.abs(skew) / 1000);
      return warn(
        "clock",
        `The database's clock is ${seconds} s ${skew > 0 ? "ahead of" : "behind"} ours.`,
        synchronise,
      );
    }
    return ok("clock", `It is ${timeOf(now)}, and the database's clock says the same.`);
  }
  return ok("clock", `It is ${timeOf(now)}.`);
};
