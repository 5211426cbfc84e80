import type { SealedColumnOf } from "../../kernel/crypto/sealed-columns.ts";
import type { AccountTables } from "./tables.ts";

/** Where this room keeps what it seals. */
export const accountSealedColumns = [
  { table: "api_tokens", key: "id", column: "sealed" },
  { table: "mail_codes", key: "digest", column: "sealed" },
  { table: "signing_keys", key: "kid", column: "sealed_private_key" },
] as const satisfies readonly SealedColumnOf<AccountTables>[];
