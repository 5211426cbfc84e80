// Numbers of different things that are never equal: where the first account, its organization and its workspace are all
// number 1, a test does not notice when one is taken for another.

import { sql } from "kysely";
import type { Store } from "#kernel/db/store.ts";

/** Where each count goes on from. Accounts and environments begin with 1. */
const startsAt: Readonly<Record<string, number>> = {
  organizations: 20_000,
  workspaces: 30_000,
  environment_keys: 40_000,
  integrations: 50_000,
  connections: 60_000,
  connect_sessions: 70_000,
};

/** In a new store. */
export const setIdsApart = async ({ kind, query }: Store): Promise<void> => {
  const starts = Object.entries(startsAt);
  if (kind === "postgres") {
    const parts = starts.map(([table, at]) => sql`setval(pg_get_serial_sequence(${table}, 'id'), ${at})`);
    await sql`select ${sql.join(parts)}`.execute(query);
    return;
  }
  const names = starts.map(([table]) => table);
  await sql`delete from sqlite_sequence where name in (${sql.join(names)})`.execute(query);
  const rows = starts.map(([table, at]) => sql`(${table}, ${at})`);
  await sql`insert into sqlite_sequence (name, seq) values ${sql.join(rows)}`.execute(query);
};
