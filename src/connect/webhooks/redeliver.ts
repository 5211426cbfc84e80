import { Refusal } from "../../kernel/errors.ts";
import type { ConnectDeps } from "../deps.ts";
import type { KeyHolder } from "../model/environment.ts";
import { deliveryById, renewDelivery, type Delivery } from "../store/webhook-deliveries.ts";
import { refusals } from "../model/refusals.ts";

type Deps = Pick<ConnectDeps, "store" | "clock"> & { readonly wake: () => void };

/** What can't be an id need not be looked for. */
export const deliveryId = /^[0-9a-f]{32}$/;

/**
 * Sends it once more, under the same id: what has ended begins anew, what waits does not wait any longer.
 *
 * @throws Refusal not_found, delivery_erased
 */
export const redeliver =
  ({ store, clock, wake }: Deps) =>
  async ({ environment }: KeyHolder, id: string): Promise<Delivery> => {
    if (!deliveryId.test(id)) throw new Refusal(refusals.not_found);
    const renewed = await renewDelivery(store.query, environment.id, id, clock.now());
    if (!renewed) {
      const known = await deliveryById(store.query, environment.id, id);
      throw new Refusal(known ? refusals.delivery_erased : refusals.not_found);
    }
    wake();
    return renewed;
  };
