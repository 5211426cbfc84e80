import { day, minute } from "../kernel/clock.ts";
import type { Route } from "../kernel/http/route.ts";
import type { Timetable } from "../kernel/jobs.ts";
import type { Provider } from "./catalogue/model/provider.ts";
import { catalogueRoutes } from "./catalogue/routes.ts";
import { createConnectionReads } from "./connections/connection-reads.ts";
import { createConnectionUse } from "./connections/connection-use.ts";
import { connectionRoutes } from "./connections/routes.ts";
import type { ConnectDeps, RoomDeps } from "./deps.ts";
import { createEnvironmentKeys } from "./environments/environment-keys.ts";
import { environmentRoutes } from "./environments/routes.ts";
import { olderIntegrationRoutes } from "./older-integrations/routes.ts";
import { eraseIntegrations } from "./integrations/erase-integrations.ts";
import { integrationRoutes } from "./integrations/routes.ts";
import { shownIntegration } from "./integrations/shown-integration.ts";
import { linkingRoutes } from "./linking/routes.ts";
import { metadataRoutes } from "./metadata/routes.ts";
import { personalConnections, type PersonalConnections, type Spot } from "./personal-connection.ts";
import { createCredentialCache } from "./proxy/credential-cache.ts";
import { proxyRoutes } from "./proxy/routes.ts";
import { sessionRoutes } from "./sessions/routes.ts";
import { keyOrSession, sessionInHeader, sessionInQuery } from "./sessions/session-tokens.ts";
import { bindConnections } from "./vault/bind-connections.ts";
import { purgeConnectSessions } from "./store/connect-sessions.ts";
import { purgeProviderWaits } from "./store/provider-waits.ts";
import { createOperatorUseCases, createUseCases, type OperatorUseCases } from "./use-cases.ts";
import { verificationRoutes } from "./verification/routes.ts";
import { webhookRoutes } from "./webhooks/routes.ts";
import { createWebhooks, type Webhooks } from "./webhooks/webhooks.ts";
import type { Gates } from "./wire/gates.ts";
import { unsupportedRoutes } from "./wire/not-supported.ts";

export { loadDestinationKey } from "./vault/destination-key.ts";
export { checkProviderFile, loadCatalogue } from "./catalogue/catalogue.ts";
export type { Field, Provider, Shape } from "./catalogue/model/provider.ts";
export { faultLine } from "./catalogue/reading/read-provider.ts";
export type { ConnectDeps, ConnectPolicy, OwnApi } from "./deps.ts";
export { personalConnectionAnswer, type PersonalConnections } from "./personal-connection.ts";
export { isScope, scopes } from "./model/scopes.ts";
export { connectChannels, connectEvents } from "./model/audit-events.ts";
export { connectRefusals } from "./model/refusals.ts";
export { connectSealedColumns } from "./store/sealed-columns.ts";
export { webhooksWaiting } from "./store/webhook-queue.ts";

/** What was submitted in a session's last moment may still ask the provider, and then finishes the session. */
const longestSubmitMs = minute;

/** Whose doors you hold keys to. The door of the room: what the house may use of it. */
export type Connect = {
  readonly routes: readonly Route[];
  /** What can be linked, by name. */
  readonly providers: readonly Provider[];
  readonly use: OperatorUseCases;
  /** For pages of this server's own: what somebody may do with their connection at this spot. */
  readonly personalAt: (spot: Spot) => PersonalConnections;
  readonly webhooks: Webhooks;
  readonly registerJobs: (timetable: Timetable) => void;
  /** Writes what was only in memory. */
  readonly flush: () => Promise<void>;
};

/**
 * Builds the room, and starts nothing: webhooks go out once `webhooks.courier` runs, jobs once a timetable does.
 *
 * @example
 * const connect = createConnect(deps);
 * connect.webhooks.courier.start();
 * // As `POST /connect/sessions` does. Throws a Refusal, such as input_invalid for an environment that is not there.
 * const { connect_link } = await connect.use.createConnectSession({
 *   environment: "dev",
 *   body: { end_user: { id: "user-1" }, allowed_integrations: ["toggl"] },
 * });
 */
export const createConnect = (deps: ConnectDeps): Connect => {
  const keys = createEnvironmentKeys(deps);
  const gates: Gates = {
    key: keys.guard,
    keyOrSession: (...anyOf) => keyOrSession(deps, keys, ...anyOf),
    sessionInHeader: sessionInHeader(deps),
    sessionInQuery: sessionInQuery(deps),
  };
  const webhooks = createWebhooks(deps);
  const room: RoomDeps = { ...deps, tell: webhooks.tell };
  const uses = createConnectionUse(deps);
  const credentials = createCredentialCache(deps);
  const use = createUseCases({
    ...room,
    reads: createConnectionReads(deps),
    uses,
    credentials,
    wake: webhooks.courier.wake,
  });
  return {
    providers: deps.catalogue.all(),
    routes: [
      ...sessionRoutes(use, gates),
      ...linkingRoutes(use, gates),
      ...catalogueRoutes(use, gates),
      ...environmentRoutes(use, gates),
      ...integrationRoutes(use, gates, shownIntegration(deps)),
      ...olderIntegrationRoutes(use, gates),
      ...metadataRoutes(use, gates),
      ...connectionRoutes(use, gates),
      ...verificationRoutes(use, gates),
      ...webhookRoutes(use, gates),
      ...proxyRoutes(use, gates),
      ...unsupportedRoutes,
    ],
    use: createOperatorUseCases(deps, use),
    personalAt: (spot) => personalConnections(deps, use, spot),
    webhooks,
    registerJobs: (timetable) => {
      timetable.register("purge-connect-sessions", 10 * minute, async (signal) => {
        const now = deps.clock.now();
        await purgeConnectSessions(deps.store.query, now - longestSubmitMs, signal);
        await purgeProviderWaits(deps.store.query, now, signal);
      });
      timetable.register("bind-connections", day, bindConnections(deps));
      timetable.register("erase-integrations", minute, eraseIntegrations(deps));
      webhooks.registerJobs(timetable);
    },
    flush: async () => {
      // First: opened credentials must not stay because the store is away.
      credentials.age();
      try {
        await keys.flushUsed();
      } finally {
        await uses.flush();
      }
    },
  };
};
