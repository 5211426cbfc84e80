import type { Tx } from "../../kernel/db/store.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { MetadataBody } from "../wire/bodies.ts";
import type { ConnectDeps } from "../deps.ts";
import { feedIdOf, type Environment } from "../model/environment.ts";
import { invalidBody } from "../wire/input.ts";
import { changeMetadata, rowsWithMetadata, type Metadata } from "../store/connection-changes.ts";
import { refusals } from "../model/refusals.ts";

type Deps = Pick<ConnectDeps, "store" | "clock">;

/** Whether what was there goes, or what is sent is laid over it, key by key. */
export type How = "replace" | "merge";

/** Characters of what is kept with one connection, as JSON. */
const mostKept = 256 * 1024;

const laid = (how: How, before: Metadata, given: Metadata): Metadata => {
  const after = how === "replace" ? given : { ...before, ...given };
  if (JSON.stringify(after).length > mostKept) {
    throw invalidBody(["metadata"], `A connection keeps at most ${mostKept / 1024} KiB`, "too_big");
  }
  return after;
};

/** Another writer may come in between: then what it left is read, and changed in turn. */
const mostTries = 20;

const putOn = async (
  tx: Tx,
  named: { readonly environmentId: number; readonly integrationKey: string; readonly ids: readonly string[] },
  change: (before: Metadata) => Metadata,
  now: number,
): Promise<void> => {
  const { environmentId, integrationKey } = named;
  const done = new Set<number>();
  for (let tries = 0; tries < mostTries; tries++) {
    const rows = await rowsWithMetadata(tx.query, environmentId, integrationKey, named.ids);
    if (rows.length < named.ids.length) throw new Refusal(refusals.unknown_connection);
    for (const row of rows.filter(({ id }) => !done.has(id))) {
      if (await changeMetadata(tx.query, row, change, now)) done.add(row.id);
    }
    if (done.size === rows.length) return;
  }
  throw new Refusal(refusals.busy, { retryAfter: 1 });
};

/** What an app keeps with connections: on all that are named, or on none. @throws Refusal unknown_connection, input_invalid */
export const setMetadata =
  ({ store, clock }: Deps) =>
  (environment: Environment, { connection_id: ids, ...wanted }: MetadataBody, how: How): Promise<void> =>
    store.transaction(async (tx) => {
      const named = {
        environmentId: environment.id,
        integrationKey: wanted.provider_config_key,
        ids: [...new Set(typeof ids === "string" ? [ids] : ids)],
      };
      await putOn(tx, named, (before) => laid(how, before, wanted.metadata), clock.now());
      tx.changed(feedIdOf(environment.id));
    });
