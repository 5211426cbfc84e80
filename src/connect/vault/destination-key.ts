import { loadServerSecret, type ServerSecretDeps } from "../../kernel/crypto/server-secrets.ts";
import { allIntegrations, setSealedConfig } from "../store/integrations.ts";
import { configBoundAnew } from "./vault.ts";

/**
 * What destinations of credentials are sealed with. The start that draws it also seals those of the integrations that
 * are there: from then on, one that is not sealed is not believed.
 *
 * @throws UnsealError when the store was tampered with
 */
export const loadDestinationKey = (deps: ServerSecretDeps): Promise<Buffer> =>
  loadServerSecret(deps, "destinations", async ({ query }, destinationKey) => {
    for (const integration of await allIntegrations(query)) {
      const sealed = configBoundAnew({ ...deps, destinationKey }, integration);
      await setSealedConfig(query, integration.id, sealed);
    }
  });
