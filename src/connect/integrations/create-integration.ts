import { changeEvent, type Actor } from "../wire/actor.ts";
import type { NewIntegrationBody } from "../wire/bodies.ts";
import type { Integration } from "../model/connection.ts";
import type { ConnectDeps } from "../deps.ts";
import { feedIdOf, type Environment } from "../model/environment.ts";
import { invalidBody } from "../wire/input.ts";
import { checkIntegrationConfig } from "./integration-config.ts";
import { insertIntegration } from "../store/integrations.ts";
import { sealConfig } from "../vault/vault.ts";

type Deps = Pick<
  ConnectDeps,
  "store" | "clock" | "random" | "rootKeys" | "destinationKey" | "audit" | "catalogue" | "policy"
>;

/** The code and the path are the original's (recorded). */
export const keyIsTaken = () => invalidBody(["uniqueKey"], "Unique key already exists", "invalid_string");

/** A provider that people of this app may link from now on. @throws Refusal input_invalid */
export const createIntegration =
  (deps: Deps) =>
  async (environment: Environment, wanted: NewIntegrationBody, actor: Actor): Promise<Integration> => {
    const provider = deps.catalogue.get(wanted.provider);
    if (!provider) throw invalidBody(["provider"], "Invalid provider", "invalid_string");
    const config = checkIntegrationConfig(provider, wanted.integration_config ?? {}, deps.policy);
    const place = {
      environmentId: environment.id,
      uniqueKey: wanted.unique_key,
      configVersion: 1,
      provider: provider.name,
      config: config.open,
    };
    const draft = {
      ...place,
      displayName: wanted.display_name ?? provider.display_name,
      forwardWebhooks: wanted.forward_webhooks ?? true,
      sealedConfig: sealConfig(deps, place, config.secret),
    };
    return deps.store.transaction(async (tx) => {
      // Two that want one key come one after the other: a renaming may be among them.
      await tx.alone();
      const made = await insertIntegration(tx.query, draft, deps.clock.now());
      if (!made) throw keyIsTaken();
      await deps.audit.record(
        tx.query,
        changeEvent("integration_created", environment, actor, { integration: made.uniqueKey }),
      );
      tx.changed(feedIdOf(environment.id));
      return made;
    });
  };
