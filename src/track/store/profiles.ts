import { tables, type Queries, type TrackProfile } from "./tables.ts";

export const insertProfile = async (query: Queries, profile: TrackProfile): Promise<void> => {
  await tables(query).insertInto("track_profiles").values(profile).execute();
};

export const profileOf = (query: Queries, accountId: number): Promise<TrackProfile | undefined> =>
  tables(query)
    .selectFrom("track_profiles")
    .selectAll()
    .where("account_id", "=", accountId)
    .executeTakeFirst();

export const editProfile = async (
  query: Queries,
  accountId: number,
  edit: Partial<Omit<TrackProfile, "account_id">>,
): Promise<void> => {
  if (Object.keys(edit).length === 0) return;
  await tables(query).updateTable("track_profiles").set(edit).where("account_id", "=", accountId).execute();
};
