import type { SealedColumnOf } from "../../kernel/crypto/sealed-columns.ts";
import type { ConnectTables } from "./tables.ts";

/** Where this room keeps what it seals. */
export const connectSealedColumns = [
  { table: "integrations", key: "id", column: "sealed_config" },
  { table: "connections", key: "id", column: "sealed" },
  { table: "connect_sessions", key: "id", column: "terms", field: "sealedDefaults" },
  { table: "webhook_settings", key: "environment_id", column: "sealed_secret" },
  { table: "webhook_settings", key: "environment_id", column: "sealed_former_secret" },
  { table: "webhook_deliveries", key: "id", column: "sealed" },
] as const satisfies readonly SealedColumnOf<ConnectTables>[];
