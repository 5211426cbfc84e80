import { minute } from "../kernel/clock.ts";
import type { Route } from "../kernel/http/route.ts";
import type { Timetable } from "../kernel/jobs.ts";
import { callProvider } from "./proxy/call-provider.ts";
import type { Provider } from "./catalogue/model/provider.ts";
import type { ConnectDeps, RoomDeps } from "./deps.ts";
import { createConnectionReads } from "./connections/connection-reads.ts";
import { connectionRoutes } from "./connections/routes.ts";
import { createConnectionUse } from "./connections/connection-use.ts";
import { changeCredentials } from "./connections/change-credentials.ts";
import { checkConnection } from "./verification/check-connection.ts";
import { credentialRoutes } from "./connections/credential-routes.ts";
import { importConnection } from "./linking/import-connection.ts";
import { createEnvironmentKeys } from "./environments/environment-keys.ts";
import { environmentRoutes } from "./environments/routes.ts";
import { formRoutes } from "./linking/form-routes.ts";
import { integrationRoutes } from "./integrations/routes.ts";
import { linkAccount } from "./linking/link-account.ts";
import { metadataRoutes } from "./connections/metadata-routes.ts";
import { unsupportedRoutes } from "./wire/not-supported.ts";
import { personalConnections, type PersonalConnections, type Spot } from "./personal-connection.ts";
import { providerRoutes } from "./integrations/provider-routes.ts";
import { proxyRoutes } from "./proxy/routes.ts";
import { logoRoutes } from "./integrations/logo-routes.ts";
import { sessionRoutes } from "./sessions/routes.ts";
import { submitRoutes } from "./linking/routes.ts";
import { createUseCases, type ConnectUseCases } from "./use-cases.ts";
import { purgeConnectSessions } from "./store/connect-sessions.ts";
import { webhookRoutes } from "./webhooks/routes.ts";
import { createWebhooks, type Webhooks } from "./webhooks/webhooks.ts";

export { checkProviderFile, loadCatalogue } from "./catalogue/catalogue.ts";
export type { Field, Provider, Shape } from "./catalogue/model/provider.ts";
export { faultLine } from "./catalogue/reading/read-provider.ts";
export type { ConnectDeps, ConnectPolicy, OwnApi } from "./deps.ts";
export { personalConnectionAnswer, type PersonalConnections } from "./personal-connection.ts";
export { isScope, scopes } from "./model/scopes.ts";
export { connectSealedColumns } from "./store/sealed-columns.ts";
export { webhooksWaiting } from "./store/webhook-queue.ts";

/** Whose doors you hold keys to. The door of the room: what the house may use of it. */
export type Connect = {
  readonly routes: readonly Route[];
  /** What can be linked, by name. */
  readonly providers: readonly Provider[];
  readonly use: ConnectUseCases;
  /** For pages of this server's own: what somebody may do with their connection at this spot. */
  readonly personalAt: (spot: Spot) => PersonalConnections;
  readonly webhooks: Webhooks;
  readonly registerJobs: (timetable: Timetable) => void;
  /** Writes what was only in memory. */
  readonly flush: () => Promise<void>;
};

export const createConnect = (deps: ConnectDeps): Connect => {
  const keys = createEnvironmentKeys(deps);
  const webhooks = createWebhooks(deps);
  const room: RoomDeps = { ...deps, tell: webhooks.tell };
  const reads = createConnectionReads(deps);
  const uses = createConnectionUse(deps);
  const provider = callProvider({ ...room, uses });
  const bring = importConnection(room);
  return {
    providers: deps.catalogue.all(),
    routes: [
      ...sessionRoutes(deps, keys),
      ...formRoutes(deps),
      ...submitRoutes(room, linkAccount(room)),
      ...providerRoutes(deps, keys),
      ...environmentRoutes(deps, keys),
      ...integrationRoutes(room, keys),
      ...metadataRoutes(deps, keys),
      ...credentialRoutes(room, keys, { bring, check: checkConnection(room) }),
      ...connectionRoutes({ ...room, reads, uses, changeCredentials: changeCredentials(room, bring) }, keys),
      ...webhookRoutes(deps, keys, webhooks),
      ...proxyRoutes(provider, keys),
      ...logoRoutes(deps),
      ...unsupportedRoutes,
    ],
    use: createUseCases(deps),
    personalAt: (spot) => personalConnections({ ...room, provider }, spot),
    webhooks,
    registerJobs: (timetable) => {
      timetable.register("purge-connect-sessions", 10 * minute, () =>
        purgeConnectSessions(deps.store.query, deps.clock.now()),
      );
      webhooks.registerJobs(timetable);
    },
    flush: async () => {
      await keys.flushUsed();
      provider.age();
      await uses.flush();
    },
  };
};
