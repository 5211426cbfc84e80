import { accountSealedColumns } from "#accounts";
import { connectSealedColumns } from "#connect";
import { kernelSealedColumns, type SealedColumn } from "#kernel/crypto/sealed-columns.ts";

/** Everything in the store that leans on a root key. */
export const sealedColumns: readonly SealedColumn[] = [
  ...kernelSealedColumns,
  ...accountSealedColumns,
  ...connectSealedColumns,
];
