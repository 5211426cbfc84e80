/** A store of its own for each test of the kernel, and a clock that only the test moves. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

import { migrations } from "../../../../migrations/index.ts";
import { createDatabase } from "../../../../tests/support/postgres.ts";
import type { Clock } from "../../clock.ts";
import { openStore, type Store, type StoreAddress } from "../../db/store.ts";
import { systemRandom, type Random } from "../../ids.ts";
import type { Log, LogFields } from "../../telemetry/log.ts";

export type TestClock = Clock & { wind(ms: number): void };

export const createTestClock = (start: string = "2026-11-21T12:00:00.000Z"): TestClock => {
  let now = Date.parse(start);
  return { now: () => now, wind: (ms) => void (now += ms) };
};

export type TestStore = {
  readonly store: Store;
  readonly clock: TestClock;
  readonly random: Random;
  /** The data folder. */
  readonly folder: string;
  /** Another process's handle on the same store. */
  another(): Store;
};

/** SQLite; PostgreSQL when LATCHKEY_TEST_KERNEL_POSTGRES is the URL of a server where databases may be made. */
export const openTestStore = async (): Promise<TestStore> => {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-kernel-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const adminUrl = process.env["LATCHKEY_TEST_KERNEL_POSTGRES"];
  let address: StoreAddress = { kind: "sqlite", path: join(folder, "latchkey.sqlite") };
  if (adminUrl !== undefined) {
    const database = await createDatabase(adminUrl);
    onTestFinished(() => database.drop());
    address = { kind: "postgres", url: database.url };
  }
  const clock = createTestClock();
  const another = (): Store => {
    const store = openStore(address, { clock, migrations, onPollFailed: () => undefined });
    onTestFinished(() => store.close());
    return store;
  };
  const store = another();
  await store.migrate();
  return { store, clock, random: systemRandom, folder, another };
};

export type LoggedLine = { readonly level: keyof Log; readonly event: string; readonly fields: LogFields };

/** A log that keeps its lines. */
export const createTestLog = (): Log & { readonly lines: readonly LoggedLine[] } => {
  const lines: LoggedLine[] = [];
  const at =
    (level: keyof Log) =>
    (event: string, fields: LogFields = {}): void =>
      void lines.push({ level, event, fields });
  return { lines, debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
};
