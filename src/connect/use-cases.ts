import { createEnvironment } from "./create-environment.ts";
import type { ConnectDeps } from "./deps.ts";
import { createEnvironmentKey, revokeEnvironmentKey } from "./environment-key-life.ts";

/** Every use case of the room that more than one door leads to, with its dependencies in place. */
export const createUseCases = (deps: ConnectDeps) => ({
  createEnvironment: createEnvironment(deps),
  createEnvironmentKey: createEnvironmentKey(deps),
  revokeEnvironmentKey: revokeEnvironmentKey(deps),
});

export type ConnectUseCases = ReturnType<typeof createUseCases>;
