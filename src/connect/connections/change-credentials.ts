import type { RoomDeps } from "../deps.ts";
import type { ImportConnection } from "../linking/import-connection.ts";
import { namedConnection, type Named } from "../store/named-connection.ts";
import { importTarget } from "../linking/submission.ts";
import type { KeyCaller } from "../wire/actor.ts";

export type ChangeCredentials = (
  caller: KeyCaller,
  named: Named,
  credentials: Readonly<Record<string, unknown>>,
) => Promise<void>;

/**
 * New credentials for a connection, which keeps everything else. The provider is asked first.
 * @throws Refusal not_found, unknown_provider_config, input_invalid, and all of verify-credentials.ts
 */
export const changeCredentials =
  (deps: Pick<RoomDeps, "store" | "catalogue">, bring: ImportConnection): ChangeCredentials =>
  async ({ holder, address }, named, credentials) => {
    await namedConnection(deps.store.query, holder.environment, named);
    const target = await importTarget(deps, holder.environment, {
      integrationKey: named.integrationKey,
      credentials,
    });
    const { connectionId } = named;
    await bring({ ...target, holder, address, connectionId, mustExist: true, verified: true });
  };
