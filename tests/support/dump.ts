// Everything of a store, as a thief of the disk or of a dump would have it.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import type { Config } from "#kernel/config.ts";

/** What lies beside the database for good reason: the keys that it is sealed under, and mails on their way to people. */
const apart = new Set(["root.keys", "outbox"]);

const filesOf = async (folder: string): Promise<Buffer> => {
  const names = (await readdir(folder, { recursive: true })).filter(
    (name) => !apart.has(name.split("/")[0] ?? ""),
  );
  return Buffer.concat(await Promise.all(names.map((name) => readFile(join(folder, name)))));
};

const rowsOf = async (url: string): Promise<Buffer> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      "select quote_ident(table_name) as name from information_schema.tables where table_schema = 'public'",
    );
    const dumps: string[] = [];
    for (const { name } of tables.rows) {
      const { rows } = await client.query<{ row: string }>(`select t::text as row from ${name} t`);
      dumps.push(name, ...rows.map(({ row }) => row));
    }
    return Buffer.from(dumps.join("\n"));
  } finally {
    await client.end();
  }
};

/** The bytes of the SQLite file and its journals, or the rows of all tables of the PostgreSQL database. */
export const dumpStore = (config: Config): Promise<Buffer> =>
  config.databaseUrl ? rowsOf(config.databaseUrl.reveal()) : filesOf(config.dataFolder);
