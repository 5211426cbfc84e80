import { sql } from "kysely";
import { sessionTerms, type ConnectSession } from "../model/connect-session.ts";
import { environmentById } from "./environments.ts";
import { purge } from "../../kernel/db/purge.ts";
import { tables, type ConnectSessionRow, type Queries } from "./tables.ts";

type NewSession = {
  readonly digest: string;
  readonly environmentId: number;
  readonly terms: ConnectSession["terms"];
  readonly connectionRow: number | null;
  readonly expiresAt: number;
};

export const insertConnectSession = async (
  query: Queries,
  session: NewSession,
  now: number,
): Promise<void> => {
  await tables(query)
    .insertInto("connect_sessions")
    .values({
      digest: session.digest,
      environment_id: session.environmentId,
      terms: JSON.stringify(session.terms),
      connection_row: session.connectionRow,
      tries: 0,
      created_at: now,
      expires_at: session.expiresAt,
      finished_at: null,
    })
    .execute();
};

const sessionOf = async (
  query: Queries,
  row: ConnectSessionRow | undefined,
): Promise<ConnectSession | undefined> => {
  const environment = row && (await environmentById(query, row.environment_id));
  return (
    row &&
    environment && {
      id: row.id,
      digest: row.digest,
      environment,
      terms: sessionTerms.parse(JSON.parse(row.terms)),
      connectionRow: row.connection_row,
      tries: row.tries,
      expiresAt: row.expires_at,
      finishedAt: row.finished_at,
    }
  );
};

export const connectSessionByDigest = async (
  query: Queries,
  digest: string,
  now: number,
): Promise<ConnectSession | undefined> =>
  sessionOf(
    query,
    await tables(query)
      .selectFrom("connect_sessions")
      .selectAll()
      .where("digest", "=", digest)
      .where("expires_at", ">", now)
      .executeTakeFirst(),
  );

/** Counts a try. False when the session has had its tries already: of any number at once, no more than `most` pass. */
export const countTry = async (query: Queries, id: number, most: number): Promise<boolean> =>
  (await tables(query)
    .updateTable("connect_sessions")
    .set({ tries: sql`tries + 1` })
    .where("id", "=", id)
    .where("tries", "<", most)
    .returning("id")
    .executeTakeFirst()) !== undefined;

/** What was no wrong guess does not count. */
export const giveTryBack = async (query: Queries, id: number): Promise<void> => {
  await tables(query)
    .updateTable("connect_sessions")
    .set({ tries: sql`tries - 1` })
    .where("id", "=", id)
    .where("tries", ">", 0)
    .execute();
};

/** Of any number of successes at once, one finishes the session; false for the others. */
export const finishConnectSession = async (query: Queries, id: number, now: number): Promise<boolean> =>
  (await tables(query)
    .updateTable("connect_sessions")
    .set({ finished_at: now })
    .where("id", "=", id)
    .where("finished_at", "is", null)
    .returning("id")
    .executeTakeFirst()) !== undefined;

export const deleteConnectSession = async (query: Queries, id: number): Promise<void> => {
  await tables(query).deleteFrom("connect_sessions").where("id", "=", id).execute();
};

export const purgeConnectSessions = async (
  query: Queries,
  now: number,
  signal?: AbortSignal,
): Promise<void> => {
  const where = sql<boolean>`expires_at <= ${now}`;
  await purge(query, { table: "connect_sessions", key: ["id"], where, by: "expires_at" }, signal);
};
