import { changeEnvironment, environmentBody } from "./environments/change-environment.ts";
import { connectSessionBody, newIntegrationBody } from "./wire/bodies.ts";
import { createEnvironment } from "./environments/create-environment.ts";
import { createIntegration } from "./integrations/create-integration.ts";
import { createConnectSession, type NewConnectSession } from "./sessions/create-session.ts";
import type { Integration } from "./model/connection.ts";
import type { ConnectDeps } from "./deps.ts";
import type { Environment } from "./model/environment.ts";
import { allConnectOrigins } from "./store/environments.ts";
import { createEnvironmentKey, revokeEnvironmentKey } from "./environments/environment-key-life.ts";
import { environmentNamed } from "./environments/environment-named.ts";
import { parsePart } from "./wire/input.ts";

/** What the operator asks for, as an app would on the wire: the body is checked by the same rules. */
type Wanted = { readonly environment: string; readonly body: Readonly<Record<string, unknown>> };

/** Every use case of the room that more than one door leads to, with its dependencies in place. */
export const createUseCases = (deps: ConnectDeps) => {
  const integration = createIntegration(deps);
  const session = createConnectSession(deps);
  const change = changeEnvironment(deps);
  return {
    createEnvironment: createEnvironment(deps),
    changeEnvironment: ({ environment, body }: Wanted): Promise<Environment> =>
      change(environment, parsePart(environmentBody, body, "input_invalid"), { channel: "cli" }),
    /** Origins of apps that some environment names: what may frame the form. */
    connectOrigins: () => allConnectOrigins(deps.store.query),
    createEnvironmentKey: createEnvironmentKey(deps),
    revokeEnvironmentKey: revokeEnvironmentKey(deps),
    createIntegration: async ({ environment, body }: Wanted): Promise<Integration> => {
      const wanted = parsePart(newIntegrationBody, body, "input_invalid");
      return integration(await environmentNamed(deps.store.query, environment), wanted, { channel: "cli" });
    },
    createConnectSession: async ({ environment, body }: Wanted): Promise<NewConnectSession> => {
      const wanted = parsePart(connectSessionBody, body, "input_invalid");
      return session(await environmentNamed(deps.store.query, environment), wanted);
    },
  };
};

export type ConnectUseCases = ReturnType<typeof createUseCases>;
