import { minute } from "../kernel/clock.ts";
import type { Route } from "../kernel/http/route.ts";
import type { Timetable } from "../kernel/jobs.ts";
import type { ConnectDeps } from "./deps.ts";
import { createEnvironmentKeys } from "./environment-keys.ts";
import { sessionRoutes } from "./session-routes.ts";
import { createUseCases, type ConnectUseCases } from "./use-cases.ts";
import { purgeConnectSessions } from "./store/connect-sessions.ts";

export type { ConnectDeps, ConnectPolicy } from "./deps.ts";
export { isScope, scopes } from "./scopes.ts";

/** Whose doors you hold keys to. The door of the room: what the house may use of it. */
export type Connect = {
  readonly routes: readonly Route[];
  readonly use: ConnectUseCases;
  readonly registerJobs: (timetable: Timetable) => void;
  /** Writes what was only in memory. */
  readonly flush: () => Promise<void>;
};

export const createConnect = (deps: ConnectDeps): Connect => {
  const keys = createEnvironmentKeys(deps);
  return {
    routes: sessionRoutes(deps, keys),
    use: createUseCases(deps),
    registerJobs: (timetable) => {
      timetable.register("purge-connect-sessions", 10 * minute, () =>
        purgeConnectSessions(deps.store.query, deps.clock.now()),
      );
    },
    flush: () => keys.flushUsed(),
  };
};
