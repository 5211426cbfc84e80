import type { Tx } from "../../kernel/db/store.ts";
import { Refusal } from "../../kernel/errors.ts";
import { changeEvent, type Actor } from "../wire/actor.ts";
import type { ChangedIntegrationBody } from "../wire/bodies.ts";
import type { Integration } from "../model/connection.ts";
import { keyIsTaken } from "./create-integration.ts";
import type { RoomDeps } from "../deps.ts";
import { feedIdOf, type Environment } from "../model/environment.ts";
import { invalidBody } from "../wire/input.ts";
import { baseUrlOrigin, checkIntegrationConfig, type CheckedConfig } from "./integration-config.ts";
import { failConnectionsElsewhere } from "../store/connection-changes.ts";
import { connectionsByRow } from "../store/connections.ts";
import { hasConnections, integrationByKey, updateIntegration } from "../store/integrations.ts";
import { openConfig, sealConfig } from "../vault/vault.ts";
import { refusals } from "../model/refusals.ts";

type Deps = Pick<
  RoomDeps,
  | "store"
  | "clock"
  | "random"
  | "rootKeys"
  | "destinationKey"
  | "log"
  | "audit"
  | "catalogue"
  | "policy"
  | "tell"
>;

/** @throws Refusal not_found, as recorded */
export const noIntegration = (key: string): Refusal =>
  new Refusal(refusals.not_found, { text: `Integration "${key}" does not exist` });

type Sealed = Pick<
  Integration,
  "environmentId" | "uniqueKey" | "configVersion" | "provider" | "config" | "sealedConfig"
>;

/** What is sealed stays as it is where nothing of it changes: a new name needs neither the provider nor a seal that opens. */
const sealedAnew = (
  deps: Deps,
  before: Integration,
  { integration_config: wanted, unique_key: uniqueKey = before.uniqueKey }: ChangedIntegrationBody,
): Sealed => {
  if (wanted === undefined && uniqueKey === before.uniqueKey) return before;
  const provider = wanted && deps.catalogue.get(before.provider);
  if (wanted && !provider) throw new Refusal(refusals.unknown_provider_template);
  const secret = openConfig(deps, before);
  const config: CheckedConfig =
    wanted && provider
      ? checkIntegrationConfig(provider, { ...before.config, ...secret, ...wanted }, deps.policy)
      : { open: before.config, secret };
  const place = {
    environmentId: before.environmentId,
    uniqueKey,
    configVersion: before.configVersion + 1,
    provider: before.provider,
    config: config.open,
  };
  return { ...place, sealedConfig: sealConfig(deps, place, config.secret) };
};

/** What connections were linked under names what they are; it stays. */
const refuseRenaming = async (tx: Tx, before: Integration, uniqueKey: string): Promise<void> => {
  if (uniqueKey === before.uniqueKey) return;
  if (await integrationByKey(tx.query, before.environmentId, uniqueKey)) throw keyIsTaken();
  if (await hasConnections(tx.query, before.id)) {
    throw invalidBody(["unique_key"], "Can't be changed while the integration has connections");
  }
};

/** Connections whose change is told together. */
const toldAtOnce = 500;

/** Credentials go only where they were accepted, so a new address ends what was linked at another one. */
const failElsewhere = async (deps: Deps, tx: Tx, before: Integration, after: Integration): Promise<void> => {
  const origin = baseUrlOrigin(after.config);
  if (origin === baseUrlOrigin(before.config)) return;
  const error = {
    type: "origin_changed",
    description: "The integration has another address now. The account has to be linked anew.",
  };
  const failed = await failConnectionsElsewhere(tx.query, after.id, origin);
  for (let from = 0; from < failed.length; from += toldAtOnce) {
    const some = await connectionsByRow(tx.query, failed.slice(from, from + toldAtOnce));
    const told = some.map((connection) => ({
      connection,
      operation: "refresh" as const,
      success: false as const,
      error,
    }));
    await deps.tell(tx, ...told);
  }
};

/** What is not named stays as it is. @throws Refusal not_found, input_invalid, unknown_provider_template */
export const changeIntegration =
  (deps: Deps) =>
  (
    environment: Environment,
    change: { readonly key: string; readonly wanted: ChangedIntegrationBody },
    actor: Actor,
  ): Promise<Integration> =>
    deps.store.transaction(async (tx) => {
      await tx.alone();
      const { key, wanted } = change;
      const before = await integrationByKey(tx.query, environment.id, key);
      if (!before) throw noIntegration(key);
      const uniqueKey = wanted.unique_key ?? before.uniqueKey;
      await refuseRenaming(tx, before, uniqueKey);
      const draft: Integration = {
        ...before,
        ...sealedAnew(deps, before, wanted),
        displayName: wanted.display_name ?? before.displayName,
        forwardWebhooks: wanted.forward_webhooks ?? before.forwardWebhooks,
      };
      const after = await updateIntegration(tx.query, draft, deps.clock.now());
      if (!after) throw noIntegration(key);
      await failElsewhere(deps, tx, before, after);
      await deps.audit.record(
        tx.query,
        changeEvent("integration_changed", environment, actor, { integration: uniqueKey }),
      );
      tx.changed(feedIdOf(environment.id));
      return after;
    });
