import { sql, type Kysely } from "kysely";

/** This server's own Track API can be linked in `dev` from the first start: something to try the form with. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  const now = Date.now();
  await sql`insert into integrations
      (environment_id, unique_key, provider, display_name, forward_webhooks, config, sealed_config, config_version, created_at, updated_at)
    select id, 'latchkey', 'latchkey', null, 0, '{}', null, 1, cast(${now} as bigint), cast(${now} as bigint) from environments
    where name = 'dev'
      and not exists (select 1 from integrations where environment_id = environments.id and unique_key = 'latchkey')`.execute(
    db,
  );
};
