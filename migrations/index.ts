import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import * as kernel from "./0001_kernel.ts";
import * as accounts from "./0002_accounts.ts";
import * as track from "./0003_track.ts";
import * as emailChange from "./0004_email_change.ts";
import * as connect from "./0005_connect.ts";
import * as ownIntegration from "./0006_own_integration.ts";
import * as rootKeyRotation from "./0007_root_key_rotation.ts";
import * as leasedWork from "./0008_leased_work.ts";
import * as recovery from "./0009_recovery.ts";
import * as connectScale from "./0010_connect_scale.ts";
import * as strangersWrites from "./0011_strangers_writes.ts";
import * as trackWork from "./0012_track_work.ts";
import { columnTypes, type ColumnTypes } from "./column-types.ts";

/** Append only: what has been released is never edited. The names give the order. */
const all: Readonly<Record<string, { up(db: Kysely<unknown>, types: ColumnTypes): Promise<void> }>> = {
  "0001_kernel": kernel,
  "0002_accounts": accounts,
  "0003_track": track,
  "0004_email_change": emailChange,
  "0005_connect": connect,
  "0006_own_integration": ownIntegration,
  "0007_root_key_rotation": rootKeyRotation,
  "0008_leased_work": leasedWork,
  "0009_recovery": recovery,
  "0010_connect_scale": connectScale,
  "0011_strangers_writes": strangersWrites,
  "0012_track_work": trackWork,
};

export const migrations = (kind: "sqlite" | "postgres"): Readonly<Record<string, Migration>> =>
  Object.fromEntries(
    Object.entries(all).map(([name, migration]) => [
      name,
      { up: (db: Kysely<unknown>) => migration.up(db, columnTypes[kind]) },
    ]),
  );
