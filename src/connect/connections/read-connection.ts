import { z } from "zod";
import { Refusal } from "../../kernel/errors.ts";
import type { Incoming } from "../../kernel/http/incoming.ts";
import { integrationKey, whichIntegration } from "../wire/bodies.ts";
import { flag } from "../wire/input.ts";
import type { ConnectionReads } from "./connection-reads.ts";
import type { ConnectionUse } from "./connection-use.ts";
import type { ConnectDeps } from "../deps.ts";
import type { KeyHolder } from "../model/environment.ts";
import { nothingNamed } from "../store/named-connection.ts";
import { shownConnection } from "./shown-connection.ts";
import { openKept } from "../vault/vault.ts";
import { refusals } from "../model/refusals.ts";

type Deps = Pick<ConnectDeps, "store" | "clock" | "rootKeys" | "destinationKey" | "log"> & {
  readonly reads: ConnectionReads;
  readonly uses: ConnectionUse;
};

/** The original's SDK always sends all four. There is nothing to refresh: no credentials here expire. */
export const connectionQuery = z.strictObject({
  provider_config_key: integrationKey.describe(whichIntegration),
  force_refresh: flag,
  refresh_token: flag,
  refresh_github_app_jwt_token: flag,
});

export type ConnectionQuery = z.output<typeof connectionQuery>;

const asksForRefresh = (query: ConnectionQuery): boolean =>
  [query.force_refresh, query.refresh_token, query.refresh_github_app_jwt_token].includes(true);

/**
 * A connection, with its credentials for a key that may read them. A connection that was read before costs no query.
 * @throws Refusal forbidden, unknown_provider_config, not_found
 */
export const readConnection =
  (deps: Deps) =>
  async (holder: KeyHolder, connectionId: string, query: ConnectionQuery, incoming: Incoming) => {
    const mayRead = holder.scopes.has("environment:connections:read_credentials");
    if (!mayRead && asksForRefresh(query)) {
      throw new Refusal(refusals.forbidden, {
        text: "This key lacks the scope environment:connections:read_credentials",
      });
    }
    const { environment } = holder;
    const named = { integrationKey: query.provider_config_key, connectionId };
    const found = await deps.reads.find({ environmentId: environment.id, ...named });
    if (!found) throw await nothingNamed(deps.store.query, environment, named);
    const { connection } = found;
    if (!mayRead) {
      const fetchedAt = connection.lastUsedAt ?? connection.createdAt;
      return shownConnection(connection, undefined, { fetchedAt, form: "offset" });
    }
    const kept = openKept(deps, connection);
    deps.uses.noteRead(holder, connection, () => incoming.client.address);
    return shownConnection(connection, kept, { fetchedAt: deps.clock.now(), form: "offset" });
  };
