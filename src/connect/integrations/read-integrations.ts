import type { ConnectDeps } from "../deps.ts";
import { environmentOfCaller, type Caller } from "../model/connect-session.ts";
import type { Integration } from "../model/connection.ts";
import type { Environment } from "../model/environment.ts";
import { integrationByKey, integrationsOf } from "../store/integrations.ts";
import { noIntegration } from "./change-integration.ts";

type Deps = Pick<ConnectDeps, "store">;

/** A form sees what its session is for. */
const mayBeSeen = (caller: Caller, key: string): boolean => {
  if (caller.kind === "key") return true;
  const { allowedIntegrations } = caller.session.terms;
  return allowedIntegrations.length === 0 || allowedIntegrations.includes(key);
};

/** In the order in which they were made. */
export const listIntegrations =
  ({ store }: Deps) =>
  async (caller: Caller): Promise<readonly Integration[]> => {
    const all = await integrationsOf(store.query, environmentOfCaller(caller).id);
    return all.filter(({ uniqueKey }) => mayBeSeen(caller, uniqueKey));
  };

/** @throws Refusal not_found */
export const readIntegration =
  ({ store }: Deps) =>
  async ({ id }: Environment, key: string): Promise<Integration> => {
    const integration = await integrationByKey(store.query, id, key);
    if (!integration) throw noIntegration(key);
    return integration;
  };
