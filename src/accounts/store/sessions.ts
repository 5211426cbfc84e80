import { sql } from "kysely";
import { purge } from "../../kernel/db/purge.ts";
import type { Account } from "../model/account.ts";
import { accountById } from "./accounts.ts";
import { tables, type Queries, type SessionRow } from "./tables.ts";

export const insertSession = async (query: Queries, session: SessionRow): Promise<void> => {
  await tables(query).insertInto("sessions").values(session).execute();
};

export const sessionWithAccount = async (
  query: Queries,
  jti: string,
): Promise<{ readonly session: SessionRow; readonly account: Account } | undefined> => {
  const session = await tables(query)
    .selectFrom("sessions")
    .selectAll()
    .where("jti", "=", jti)
    .executeTakeFirst();
  const account = session && (await accountById(query, session.account_id));
  return session && account && { session, account };
};

export const sessionsOf = (query: Queries, accountId: number): Promise<SessionRow[]> =>
  tables(query).selectFrom("sessions").selectAll().where("account_id", "=", accountId).execute();

/** Only when it is this account's: what is somebody else's is not there. */
export const takeSession = (
  query: Queries,
  { jti, accountId }: { readonly jti: string; readonly accountId: number },
): Promise<SessionRow | undefined> =>
  tables(query)
    .deleteFrom("sessions")
    .where("jti", "=", jti)
    .where("account_id", "=", accountId)
    .returningAll()
    .executeTakeFirst();

export const deleteSession = async (query: Queries, jti: string): Promise<boolean> =>
  (await tables(query).deleteFrom("sessions").where("jti", "=", jti).returning("jti").executeTakeFirst()) !==
  undefined;

/** `except` stays. @returns what was ended */
export const deleteSessionsOf = (query: Queries, accountId: number, except?: string): Promise<SessionRow[]> =>
  tables(query)
    .deleteFrom("sessions")
    .where("account_id", "=", accountId)
    .$if(except !== undefined, (del) => del.where("jti", "!=", except ?? ""))
    .returningAll()
    .execute();

/** Keeps the newest. @returns how many were ended */
export const endOldestSessions = async (query: Queries, accountId: number, keep: number): Promise<number> =>
  (
    await tables(query)
      .deleteFrom("sessions")
      .where("account_id", "=", accountId)
      .where("jti", "not in", (eb) =>
        eb
          .selectFrom("sessions")
          .select("jti")
          .where("account_id", "=", accountId)
          .orderBy("created_at", "desc")
          .limit(keep),
      )
      .returning("jti")
      .execute()
  ).length;

export const touchSessions = async (query: Queries, seen: ReadonlyMap<string, number>): Promise<void> => {
  for (const [jti, at] of seen) {
    await tables(query)
      .updateTable("sessions")
      .set({ last_seen_at: at })
      .where("jti", "=", jti)
      .where("last_seen_at", "<", at)
      .execute();
  }
};

/** @param idleSince undefined: nothing ends by lying idle */
export const purgeSessions = async (
  query: Queries,
  { now, idleSince }: { readonly now: number; readonly idleSince: number | undefined },
  signal?: AbortSignal,
): Promise<void> => {
  const sessions = { table: "sessions", key: ["jti"] } as const;
  const expired = sql<boolean>`expires_at <= ${now}`;
  await purge(query, { ...sessions, where: expired, by: "expires_at" }, signal);
  if (idleSince === undefined) return;
  const idle = sql<boolean>`last_seen_at < ${idleSince}`;
  await purge(query, { ...sessions, where: idle, by: "last_seen_at" }, signal);
};
