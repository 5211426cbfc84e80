import { webhooksWaiting } from "#connect";
import { day, minute, systemClock } from "#kernel/clock.ts";
import type { Store } from "#kernel/db/store.ts";
import { timeOf } from "../house.ts";
import { ok, warn, type Finding } from "./finding.ts";

const list = "GET /environment/webhooks/deliveries tells of each";

/** Whether apps are told what becomes of their connections. Those of the last minutes may be on their way. */
export const checkWebhooks = async (store: Store): Promise<Finding> => {
  const now = systemClock.now();
  const { waiting, failing, since, givenUp } = await webhooksWaiting(store.query, now - day);
  const count = waiting === 1 ? "1 webhook waits" : `${waiting} webhooks wait`;
  if (failing > 0 && since !== undefined) {
    return warn(
      "webhooks",
      `${count} since ${timeOf(since)}; ${failing} could not be delivered so far.`,
      `Look whether the apps' receivers work: ${list}. Each is tried again for a day or so.`,
    );
  }
  if (since !== undefined && now - since >= 5 * minute) {
    return warn(
      "webhooks",
      `${count} since ${timeOf(since)}.`,
      "Start the server: only a running one sends them. While one runs, more come than it can send.",
    );
  }
  if (givenUp > 0) {
    return warn(
      "webhooks",
      `${givenUp === 1 ? "1 webhook was" : `${givenUp} webhooks were`} given up since yesterday.`,
      `Mend the receiver and send them once more, within three days: ${list}.`,
    );
  }
  return ok("webhooks", waiting === 0 ? "No webhook waits." : `${count} for the server to send.`);
};
