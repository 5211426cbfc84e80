import type { RoomDeps } from "../deps.ts";
import type { Import, importConnection } from "../linking/import-connection.ts";
import { namedConnection, type Named } from "../store/named-connection.ts";
import { importTarget } from "../linking/submission.ts";

/**
 * New credentials for a connection, which keeps everything else. The provider is asked first.
 * @throws Refusal not_found, unknown_provider_config, input_invalid, and all of verify-credentials.ts
 */
export const changeCredentials =
  (deps: Pick<RoomDeps, "store" | "catalogue">, bring: ReturnType<typeof importConnection>) =>
  async (
    { holder, address }: Pick<Import, "holder" | "address">,
    named: Named,
    credentials: Readonly<Record<string, unknown>>,
  ): Promise<void> => {
    await namedConnection(deps.store.query, holder.environment, named);
    const target = await importTarget(deps, holder.environment, {
      integrationKey: named.integrationKey,
      credentials,
    });
    const { connectionId } = named;
    await bring({ ...target, holder, address, connectionId, mustExist: true, verified: true });
  };
