import type { Kysely } from "kysely";

export const up = async (db: Kysely<unknown>): Promise<void> => {
  // Where a code leads the account to, when it confirms a new address. One column a statement: SQLite adds no two.
  await db.schema.alterTable("mail_codes").addColumn("email", "text").execute();
  await db.schema.alterTable("mail_codes").addColumn("email_canonical", "text").execute();
};
