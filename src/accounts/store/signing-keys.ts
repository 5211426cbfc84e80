import { tables, type Queries, type SigningKeyRow } from "./tables.ts";

export const signingKeys = (query: Queries): Promise<SigningKeyRow[]> =>
  tables(query).selectFrom("signing_keys").selectAll().orderBy("created_at").orderBy("kid").execute();

export const insertSigningKey = async (query: Queries, key: SigningKeyRow): Promise<void> => {
  await tables(query).insertInto("signing_keys").values(key).execute();
};

/** The keys that sign now verify until then, and no longer sign. */
export const retireSigningKeys = async (query: Queries, verifiesUntil: number): Promise<void> => {
  await tables(query)
    .updateTable("signing_keys")
    .set({ verifies_until: verifiesUntil })
    .where("verifies_until", "is", null)
    .execute();
};

/** As if it had never signed: a moment that is long past for every process, whatever their clocks say. */
export const endSigningKey = async (query: Queries, kid: string): Promise<boolean> =>
  (await tables(query)
    .updateTable("signing_keys")
    .set((eb) => ({ verifies_until: eb.ref("created_at") }))
    .where("kid", "=", kid)
    .returning("kid")
    .executeTakeFirst()) !== undefined;
