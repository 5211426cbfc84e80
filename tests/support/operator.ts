// The operator's hand on a house: at the house itself, or from another process of its store, as far as one process can
// be two.

import type { Accounts } from "#accounts";
import { openMigratedStore } from "#app/open-store.ts";
import { layGround, type Ground } from "#app/ground.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Config } from "#kernel/config.ts";
import type { Store } from "#kernel/db/store.ts";
import { createLog } from "#kernel/telemetry/log.ts";

type Place = { readonly config: Config; readonly clock: Clock };

export type Operator = Pick<Ground, "rootKeys" | "signingKeys"> & {
  readonly store: Store;
  readonly use: Accounts["use"];
};

const operatorOf = async (store: Store, { config, clock }: Place): Promise<Operator> => {
  const log = createLog({ level: "silent", clock });
  const { rootKeys, signingKeys, accounts } = await layGround({ store, config, log }, () => undefined, {
    clock,
  });
  return { store, rootKeys, signingKeys, use: accounts.use };
};

/** Works through the house's own store, so that the house knows at once. */
export const operatorIn = (
  house: Place & { readonly inside: { readonly store: Store } },
): Promise<Operator> => operatorOf(house.inside.store, house);

/** Works as a process of its own would: the ones that run have to learn of it. */
export const withOperator = async <Result>(
  place: Place,
  work: (operator: Operator) => Promise<Result>,
): Promise<Result> => {
  const store = await openMigratedStore(
    place.config,
    place.clock,
    createLog({ level: "silent", clock: place.clock }),
  );
  try {
    return await work(await operatorOf(store, place));
  } finally {
    await store.close();
  }
};
