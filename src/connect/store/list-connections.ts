import { sql, type RawBuilder } from "kysely";
import { setImmediate } from "node:timers/promises";
import type { Connection } from "../model/connection.ts";
import { connectionsByRow } from "./connections.ts";
import { tables, type Queries } from "./tables.ts";

/**
 * Lists of connections, newest first. Which ones are wanted is found in an index, skipped pages included; only then are
 * their rows read, in pieces, so that on SQLite others have their turn in between.
 */

export type ConnectionFilter = {
  readonly connectionId?: string | undefined;
  readonly search?: string | undefined;
  readonly endUserId?: string | undefined;
  readonly organizationId?: string | undefined;
  readonly integrationKeys?: readonly string[] | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly limit: number;
  /** From 0 on. */
  readonly page: number;
};

type Condition = RawBuilder<boolean>;

/** What all of the wanted have in common: where they are looked for, and the column that is their row's number. */
type Wanted = {
  readonly from: RawBuilder<unknown>;
  readonly id: RawBuilder<number>;
  readonly where: readonly Condition[];
};

/** Which integrations a list is of, the fewest words for it first. Undefined: of none. */
const ofIntegrations = async (
  query: Queries,
  environmentId: number,
  keys: readonly string[] | undefined,
): Promise<readonly Condition[] | undefined> => {
  const rows = await tables(query)
    .selectFrom("integrations")
    .select(["id", "unique_key", "deleted_at"])
    .where("environment_id", "=", environmentId)
    .execute();
  const gone = rows.filter((row) => row.deleted_at !== null).map(({ id }) => id);
  if (keys === undefined) {
    const inEnvironment = sql<boolean>`c.environment_id = ${environmentId}`;
    return gone.length === 0
      ? [inEnvironment]
      : [inEnvironment, sql<boolean>`c.integration_id not in (${sql.join(gone)})`];
  }
  const named = rows.filter((row) => row.deleted_at === null && keys.includes(row.unique_key));
  return named.length === 0
    ? undefined
    : [sql<boolean>`c.integration_id in (${sql.join(named.map(({ id }) => id))})`];
};

/** Who linked it is what few connections share. */
const personFirst = ([a]: readonly [string, string], [b]: readonly [string, string]): number =>
  Number(b === "end_user_id") - Number(a === "end_user_id");

const wantedOf = (
  environmentId: number,
  filter: ConnectionFilter,
  integrations: readonly Condition[],
): Wanted => {
  const { connectionId, endUserId, organizationId, tags = {} } = filter;
  const where = [
    ...integrations,
    ...(connectionId === undefined ? [] : [sql<boolean>`c.connection_id = ${connectionId}`]),
    ...(endUserId === undefined ? [] : [sql<boolean>`c.end_user_id = ${endUserId}`]),
    ...(organizationId === undefined ? [] : [sql<boolean>`c.organization_id = ${organizationId}`]),
  ];
  const [first, ...others] = Object.entries(tags).toSorted(personFirst);
  if (!first) return { from: sql`connections as c`, id: sql`c.id`, where };
  const [key, value] = first;
  return {
    // In this order: SQLite takes a cross join as it stands.
    from: sql`connection_tags as t cross join connections as c`,
    id: sql`t.connection_row`,
    where: [
      sql<boolean>`t.environment_id = ${environmentId} and t.key = ${key} and t.value = ${value}`,
      sql<boolean>`c.id = t.connection_row`,
      ...others.map(
        ([name, text]) =>
          sql<boolean>`exists (select 1 from connection_tags as o where o.connection_row = t.connection_row and o.key = ${name} and o.value = ${text})`,
      ),
      ...where,
    ],
  };
};

const idsOf = async (
  query: Queries,
  { from, id, where }: Wanted,
  { limit, offset }: { readonly limit: number; readonly offset: number },
): Promise<readonly number[]> => {
  const { rows } = await sql<{ id: number }>`select ${id} as id from ${from}
    where ${sql.join(where, sql` and `)} order by ${id} desc limit ${limit} offset ${offset}`.execute(query);
  return rows.map((row) => row.id);
};

/** Connections whose text is looked at by one statement. */
const searchedAtOnce = 2000;

/** No index finds what is in the middle of a word: the texts are walked over, some at a time, until there are enough. */
const searchedIds = async (
  query: Queries,
  wanted: Wanted,
  { search, limit, offset }: { readonly search: string; readonly limit: number; readonly offset: number },
): Promise<readonly number[]> => {
  const escaped = search.toLowerCase().replaceAll(/[\\%_]/g, (character) => `\\${character}`);
  const fits = sql<boolean>`c.search_text like ${`%${escaped}%`} escape '\\'`;
  const found: number[] = [];
  let where = wanted.where;
  for (;;) {
    const piece = { ...wanted, where };
    const [last] = await idsOf(query, piece, { limit: 1, offset: searchedAtOnce - 1 });
    const within = last === undefined ? [] : [sql<boolean>`${wanted.id} >= ${last}`];
    const most = { limit: offset + limit - found.length, offset: 0 };
    found.push(...(await idsOf(query, { ...piece, where: [...where, ...within, fits] }, most)));
    if (last === undefined || found.length >= offset + limit) return found.slice(offset);
    where = [...wanted.where, sql<boolean>`${wanted.id} < ${last}`];
    await setImmediate();
  }
};

/** Rows that are read by one statement. */
const readAtOnce = 500;

export const listConnections = async (
  query: Queries,
  environmentId: number,
  filter: ConnectionFilter,
): Promise<readonly Connection[]> => {
  const integrations = await ofIntegrations(query, environmentId, filter.integrationKeys);
  if (!integrations) return [];
  const wanted = wantedOf(environmentId, filter, integrations);
  const { search, limit, page } = filter;
  const place = { limit, offset: page * limit };
  const ids = await (search === undefined
    ? idsOf(query, wanted, place)
    : searchedIds(query, wanted, { search, ...place }));
  const found: Connection[] = [];
  for (let from = 0; from < ids.length; from += readAtOnce) {
    if (from > 0) await setImmediate();
    const some = await connectionsByRow(query, ids.slice(from, from + readAtOnce));
    found.push(...some.toSorted((a, b) => b.id - a.id));
  }
  return found;
};

/** Integrations, by their rows, that a person has linked an account of. */
export const integrationsLinkedBy = async (
  query: Queries,
  environmentId: number,
  endUserId: string,
): Promise<readonly number[]> =>
  (
    await tables(query)
      .selectFrom("connections")
      .select("integration_id")
      .distinct()
      .where("environment_id", "=", environmentId)
      .where("end_user_id", "=", endUserId)
      .execute()
  ).map((row) => row.integration_id);
