import { drawLogo } from "./catalogue/draw-logo.ts";
import { readProviders } from "./catalogue/read-providers.ts";
import { bringConnection } from "./connections/bring-connection.ts";
import { changeConnection } from "./connections/change-connection.ts";
import { changeCredentials } from "./connections/change-credentials.ts";
import type { ConnectionReads } from "./connections/connection-reads.ts";
import type { ConnectionUse } from "./connections/connection-use.ts";
import { deleteConnection } from "./connections/delete-connection.ts";
import { listConnections } from "./connections/list-connections.ts";
import { readConnection } from "./connections/read-connection.ts";
import type { RoomDeps } from "./deps.ts";
import { changeEnvironment, environmentBody } from "./environments/change-environment.ts";
import { createEnvironment } from "./environments/create-environment.ts";
import { createEnvironmentKey, revokeEnvironmentKey } from "./environments/environment-key-life.ts";
import { environmentNamed } from "./environments/environment-named.ts";
import { changeIntegration } from "./integrations/change-integration.ts";
import { createIntegration } from "./integrations/create-integration.ts";
import { deleteIntegration } from "./integrations/delete-integration.ts";
import { listIntegrations, readIntegration } from "./integrations/read-integrations.ts";
import { readForm } from "./linking/form.ts";
import { importConnection } from "./linking/import-connection.ts";
import { linkAccount } from "./linking/link-account.ts";
import { submitCredentials } from "./linking/submit-credentials.ts";
import { setMetadata } from "./metadata/set-metadata.ts";
import type { Integration } from "./model/connection.ts";
import type { Environment } from "./model/environment.ts";
import { callProvider } from "./proxy/call-provider.ts";
import type { CredentialCache } from "./proxy/credential-cache.ts";
import {
  createConnectSession,
  createReconnectSession,
  type NewConnectSession,
} from "./sessions/create-session.ts";
import { endConnectSession } from "./sessions/end-session.ts";
import { allConnectOrigins } from "./store/environments.ts";
import { checkConnection } from "./verification/check-connection.ts";
import { verifyConnection } from "./verification/verify-connection.ts";
import { changeWebhooks } from "./webhooks/change-settings.ts";
import { listDeliveries, readWebhookSettings } from "./webhooks/read-webhooks.ts";
import { redeliver } from "./webhooks/redeliver.ts";
import { rotateWebhookSecret } from "./webhooks/rotate-secret.ts";
import { connectSessionBody, newIntegrationBody } from "./wire/bodies.ts";
import { parsePart } from "./wire/input.ts";
import { refusals } from "./model/refusals.ts";

/** Every use case of the room, with its dependencies in place. */
export const createUseCases = (
  deps: RoomDeps & {
    readonly reads: ConnectionReads;
    readonly uses: ConnectionUse;
    readonly credentials: CredentialCache;
    /** Webhooks are to be looked at now. */
    readonly wake: () => void;
  },
) => {
  const providers = readProviders(deps.catalogue, deps.policy.origin.origin);
  const bring = importConnection(deps);
  const check = checkConnection(deps);
  return {
    createConnectSession: createConnectSession(deps),
    createReconnectSession: createReconnectSession(deps),
    endConnectSession: endConnectSession(deps),
    readForm: readForm(deps),
    submitCredentials: submitCredentials(deps, linkAccount(deps)),
    listProviders: providers.list,
    readProvider: providers.read,
    drawLogo: drawLogo(deps.catalogue),
    changeEnvironment: changeEnvironment(deps),
    listIntegrations: listIntegrations(deps),
    readIntegration: readIntegration(deps),
    createIntegration: createIntegration(deps),
    changeIntegration: changeIntegration(deps),
    deleteIntegration: deleteIntegration(deps),
    listConnections: listConnections(deps),
    readConnection: readConnection(deps),
    bringConnection: bringConnection(deps, bring),
    changeConnection: changeConnection(deps, changeCredentials(deps, bring)),
    deleteConnection: deleteConnection(deps),
    setMetadata: setMetadata(deps),
    verifyConnection: verifyConnection(deps, check),
    readWebhookSettings: readWebhookSettings(deps),
    changeWebhooks: changeWebhooks(deps),
    rotateWebhookSecret: rotateWebhookSecret(deps),
    listDeliveries: listDeliveries(deps),
    redeliver: redeliver(deps),
    callProvider: callProvider({ ...deps, check }),
  };
};

export type ConnectUseCases = ReturnType<typeof createUseCases>;

/** What the operator asks for, as an app would on the wire: the body is checked by the same rules. */
type Wanted = { readonly environment: string; readonly body: Readonly<Record<string, unknown>> };

/** What is asked from outside the wire, by the operator above all: environments go by their names. */
export const createOperatorUseCases = (
  deps: Pick<RoomDeps, "store" | "clock" | "random" | "audit">,
  use: ConnectUseCases,
) => {
  const named = (environment: string): Promise<Environment> =>
    environmentNamed(deps.store.query, environment);
  return {
    createEnvironment: createEnvironment(deps),
    createEnvironmentKey: createEnvironmentKey(deps),
    revokeEnvironmentKey: revokeEnvironmentKey(deps),
    /** Origins of apps that some environment names: what may frame the form. */
    connectOrigins: () => allConnectOrigins(deps.store.query),
    changeEnvironment: ({ environment, body }: Wanted): Promise<Environment> =>
      use.changeEnvironment(environment, parsePart(environmentBody, body, refusals.input_invalid), {
        channel: "cli",
      }),
    createIntegration: async ({ environment, body }: Wanted): Promise<Integration> => {
      const wanted = parsePart(newIntegrationBody, body, refusals.input_invalid);
      return use.createIntegration(await named(environment), wanted, { channel: "cli" });
    },
    createConnectSession: async ({ environment, body }: Wanted): Promise<NewConnectSession> => {
      const wanted = parsePart(connectSessionBody, body, refusals.input_invalid);
      return use.createConnectSession(await named(environment), wanted);
    },
  };
};

export type OperatorUseCases = ReturnType<typeof createOperatorUseCases>;
