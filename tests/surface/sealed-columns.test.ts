import { sql } from "kysely";
import { expect, test } from "vitest";
import { sealedColumns } from "#app/sealed-columns.ts";
import { nameOf } from "#kernel/crypto/sealed-columns.ts";
import { openTestStore } from "../../src/kernel/mail/testing/store.ts";
import { importsOf, readSources } from "./sources.ts";

/** Whatever is sealed has to be wrapped anew when the root key is rotated: who forgets a place shuts it for good. */

/** Who seals, and into which columns. */
const seals: Readonly<Record<string, readonly string[]>> = {
  "src/accounts/signing/signing-keys.ts": ["signing_keys.sealed_private_key"],
  "src/accounts/credentials/tokens.ts": ["api_tokens.sealed"],
  "src/connect/vault/vault.ts": [
    "connect_sessions.terms.sealedDefaults",
    "connections.sealed",
    "integrations.sealed_config",
  ],
  "src/connect/webhooks/seals.ts": [
    "webhook_deliveries.sealed",
    "webhook_settings.sealed_former_secret",
    "webhook_settings.sealed_secret",
  ],
  "src/accounts/mailing/mail-codes.ts": ["mail_codes.sealed"],
  "src/kernel/crypto/server-secrets.ts": ["server_secrets.sealed"],
  "src/kernel/mail/queue.ts": ["mail_queue.sealed"],
};

test("every column that is called sealed is rotated, and is guarded against keys that were removed", async () => {
  const { store } = await openTestStore();
  const tables = await store.query.introspection.getTables();
  const called = tables.flatMap(({ name, columns }) =>
    columns
      .map((column) => column.name)
      .filter((column) => /^sealed(_|$)/.test(column) && column !== "sealed_version")
      .map((column) => `${name}.${column}`),
  );
  const { rows } = await sql<{ name: string }>`select name from sqlite_master where type = 'trigger'`.execute(
    store.query,
  );
  const guards = sealedColumns.flatMap(({ table, column }) =>
    ["insert", "update"].map((how) => `${table}_${column}_seal_${how}`),
  );

  const rotated = sealedColumns.filter(({ field }) => field === undefined).map(nameOf);
  expect(called.length).toBeGreaterThan(8);
  expect(rotated.toSorted()).toEqual(called.toSorted());
  expect(rows.map(({ name }) => name).toSorted()).toEqual(guards.toSorted());
});

test("every file that seals says into which column, and each of those is rotated", async () => {
  const sealing = (await readSources())
    .filter(({ path }) => path.startsWith("src/") && !path.endsWith(".test.ts"))
    .filter((source) =>
      importsOf(source).some(
        ({ specifier, names }) =>
          specifier.endsWith("/envelope.ts") && names.some((name) => name === "seal" || name === "*"),
      ),
    )
    .map(({ path }) => path);

  expect(sealing.toSorted()).toEqual(Object.keys(seals).toSorted());
  expect(Object.values(seals).flat().toSorted()).toEqual(sealedColumns.map(nameOf).toSorted());
});
