import type { ConnectDeps } from "../deps.ts";
import type { ConnectSession } from "../model/connect-session.ts";
import { deleteConnectSession } from "../store/connect-sessions.ts";

/** Its token opens nothing any more. */
export const endConnectSession =
  ({ store }: Pick<ConnectDeps, "store">) =>
  ({ id }: ConnectSession): Promise<void> =>
    store.transaction((tx) => deleteConnectSession(tx.query, id));
