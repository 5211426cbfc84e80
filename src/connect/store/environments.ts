import { z } from "zod";
import { appearance } from "../model/appearance.ts";
import type { Environment } from "../model/environment.ts";
import { isScope, type Scope } from "../model/scopes.ts";
import { tables, type EnvironmentKeyRow, type EnvironmentRow, type Queries } from "./tables.ts";

/** Environments and their API keys. */

const texts = z.array(z.string());

const environmentOf = (row: EnvironmentRow): Environment => ({
  id: row.id,
  name: row.name,
  connectOrigins: texts.parse(JSON.parse(row.connect_origins)),
  appearance: appearance.parse(JSON.parse(row.appearance)),
});

export type EnvironmentKey = Pick<EnvironmentKeyRow, "id" | "name"> & {
  readonly environment: Environment;
  readonly scopes: readonly Scope[];
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
};

export const environmentByName = async (query: Queries, name: string): Promise<Environment | undefined> => {
  const row = await tables(query)
    .selectFrom("environments")
    .selectAll()
    .where("name", "=", name)
    .executeTakeFirst();
  return row && environmentOf(row);
};

export const environmentById = async (query: Queries, id: number): Promise<Environment | undefined> => {
  const row = await tables(query)
    .selectFrom("environments")
    .selectAll()
    .where("id", "=", id)
    .executeTakeFirst();
  return row && environmentOf(row);
};

/** Of all environments, each once. */
export const allConnectOrigins = async (query: Queries): Promise<readonly string[]> => {
  const rows = await tables(query).selectFrom("environments").select("connect_origins").execute();
  return [...new Set(rows.flatMap((row) => texts.parse(JSON.parse(row.connect_origins))))];
};

export const updateEnvironment = async (
  query: Queries,
  { id, connectOrigins, appearance: looks }: Omit<Environment, "name">,
): Promise<void> => {
  await tables(query)
    .updateTable("environments")
    .set({ connect_origins: JSON.stringify(connectOrigins), appearance: JSON.stringify(looks) })
    .where("id", "=", id)
    .execute();
};

/** Undefined when there is one of that name. */
export const insertEnvironment = async (
  query: Queries,
  environment: { readonly name: string; readonly connectOrigins: readonly string[] },
  now: number,
): Promise<Environment | undefined> => {
  const row = await tables(query)
    .insertInto("environments")
    .values({
      name: environment.name,
      connect_origins: JSON.stringify(environment.connectOrigins),
      appearance: "{}",
      created_at: now,
    })
    .onConflict((conflict) => conflict.column("name").doNothing())
    .returningAll()
    .executeTakeFirst();
  return row && environmentOf(row);
};

const keyOf = (row: EnvironmentKeyRow, environment: Environment): EnvironmentKey => ({
  id: row.id,
  name: row.name,
  environment,
  scopes: texts.parse(JSON.parse(row.scopes)).filter(isScope),
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
});

export const keyByDigest = async (query: Queries, digest: string): Promise<EnvironmentKey | undefined> => {
  const row = await tables(query)
    .selectFrom("environment_keys")
    .selectAll()
    .where("digest", "=", digest)
    .executeTakeFirst();
  const environment = row && (await environmentById(query, row.environment_id));
  return row && environment && keyOf(row, environment);
};

export const keysOf = async (
  query: Queries,
  environment: Environment,
): Promise<readonly EnvironmentKey[]> => {
  const rows = await tables(query)
    .selectFrom("environment_keys")
    .selectAll()
    .where("environment_id", "=", environment.id)
    .orderBy("id")
    .execute();
  return rows.map((row) => keyOf(row, environment));
};

/** False when the environment has a key of that name. */
export const insertKey = async (
  query: Queries,
  key: {
    readonly environmentId: number;
    readonly name: string;
    readonly digest: string;
    readonly scopes: readonly Scope[];
  },
  now: number,
): Promise<boolean> =>
  (await tables(query)
    .insertInto("environment_keys")
    .values({
      environment_id: key.environmentId,
      name: key.name,
      digest: key.digest,
      scopes: JSON.stringify(key.scopes),
      created_at: now,
      last_used_at: null,
    })
    .onConflict((conflict) => conflict.columns(["environment_id", "name"]).doNothing())
    .returning("id")
    .executeTakeFirst()) !== undefined;

export const deleteKey = async (query: Queries, environmentId: number, name: string): Promise<boolean> =>
  (await tables(query)
    .deleteFrom("environment_keys")
    .where("environment_id", "=", environmentId)
    .where("name", "=", name)
    .returning("id")
    .executeTakeFirst()) !== undefined;

export const touchKeys = async (query: Queries, used: ReadonlyMap<number, number>): Promise<void> => {
  for (const [id, at] of used) {
    await tables(query)
      .updateTable("environment_keys")
      .set({ last_used_at: at })
      .where("id", "=", id)
      .where((eb) => eb.or([eb("last_used_at", "is", null), eb("last_used_at", "<", at)]))
      .execute();
  }
};
