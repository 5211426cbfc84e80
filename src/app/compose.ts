import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import {
  accountLimits,
  createAccounts,
  createSigningKeys,
  displayNameIssue,
  parseEmailAddress,
  peerOf,
  type AccountChange,
  type Accounts,
  type Principal,
} from "#accounts";
import { migrations } from "#migrations";
import { createTrack, provision } from "#track";
import { systemClock, type Clock } from "#kernel/clock.ts";
import type { Config } from "#kernel/config.ts";
import { createGate } from "#kernel/crypto/gate.ts";
import { createPasswords, type PasswordParameters } from "#kernel/crypto/password.ts";
import { loadRootKeys } from "#kernel/crypto/root-key-registry.ts";
import { loadServerSecret } from "#kernel/crypto/server-secrets.ts";
import { openStore, type Store, type StoreAddress } from "#kernel/db/store.ts";
import { SetupFault } from "#kernel/errors.ts";
import type { Incoming } from "#kernel/http/incoming.ts";
import type { Route } from "#kernel/http/route.ts";
import { systemRandom, type Random } from "#kernel/ids.ts";
import { createTimetable, type Timetable } from "#kernel/jobs.ts";
import { createTries } from "#kernel/limits/tries.ts";
import { createCourier, type Courier } from "#kernel/mail/courier.ts";
import type { MailTransport } from "#kernel/mail/message.ts";
import { createMailQueue } from "#kernel/mail/queue.ts";
import { createOutboxTransport } from "#kernel/mail/transport.outbox.ts";
import { createSmtpTransport } from "#kernel/mail/transport.smtp.ts";
import { createAudit } from "#kernel/telemetry/audit.ts";
import type { Log } from "#kernel/telemetry/log.ts";
import { day, hour, minute } from "#kernel/clock.ts";
import { systemRoutes } from "./system-routes.ts";

/** What a test winds by hand; a server runs with the real ones. */
export type Surprises = {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly passwordParameters?: PasswordParameters;
};

/** The house, built and not yet listening. Read from top to bottom, this is how everything hangs together. */
export type House = {
  readonly config: Config;
  readonly store: Store;
  readonly accounts: Accounts;
  readonly routes: readonly Route[];
  readonly courier: Courier;
  readonly timetable: Timetable;
  /** Starts what runs by itself: mail and jobs. */
  start(): void;
  close(): Promise<void>;
};

export const storeAddress = (config: Config): StoreAddress =>
  config.databaseUrl
    ? { kind: "postgres", url: config.databaseUrl.reveal() }
    : { kind: "sqlite", path: join(config.dataFolder, "latchkey.db") };

export const outboxFolder = (config: Config): string => join(config.dataFolder, "outbox");

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message || error.name : String(error));

/** Makes the data folder, or says in one sentence why that can't be. */
const prepareFolder = async (config: Config): Promise<void> => {
  try {
    await mkdir(config.dataFolder, { recursive: true, mode: 0o700 });
    if (!config.smtpUrl) await mkdir(outboxFolder(config), { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new SetupFault(
      `The data folder ${config.dataFolder} can't be used: ${reasonOf(error)}. Set LATCHKEY_DATA to a folder that this user may write.`,
      error,
    );
  }
};

/** Opens and migrates the store. @throws SetupFault when it can't be reached or read */
export const openMigratedStore = async (config: Config, clock: Clock, log: Log): Promise<Store> => {
  await prepareFolder(config);
  const address = storeAddress(config);
  const store = openStore(address, {
    clock,
    migrations,
    onPollFailed: (error) => log.warn("change_feed_unconfirmed", { error }),
  });
  try {
    await store.migrate();
    await store.changes.start();
    return store;
  } catch (error) {
    await store.close().catch(() => undefined);
    if (error instanceof SetupFault) throw error;
    const what =
      address.kind === "sqlite"
        ? `The database ${address.path} can't be opened: ${reasonOf(error)}. Check that this user may read and write it.`
        : `The database of LATCHKEY_DATABASE_URL can't be reached: ${reasonOf(error)}. Check that it runs and that the URL is right.`;
    throw new SetupFault(what, error);
  }
};

const transportOf = (config: Config): MailTransport => {
  const sender = { from: config.mailFrom, host: config.origin.hostname };
  return config.smtpUrl
    ? createSmtpTransport({ ...sender, url: config.smtpUrl })
    : createOutboxTransport({ ...sender, folder: outboxFolder(config) });
};

export const compose = async (config: Config, log: Log, surprises: Surprises = {}): Promise<House> => {
  const clock = surprises.clock ?? systemClock;
  const random = surprises.random ?? systemRandom;
  const store = await openMigratedStore(config, clock, log);
  try {
    // Keys
    const rootKeys = await loadRootKeys({ store, config, clock, random });
    const keyed = { store, rootKeys, random, clock };
    const signingKeys = createSigningKeys(keyed);
    const tries = createTries({ store, key: await loadServerSecret(keyed, "tries"), clock });

    // Mail, audit, jobs
    const courier = createCourier({ store, rootKeys, clock, log, transport: transportOf(config) });
    const mail = createMailQueue({ rootKeys, random, clock, wake: () => courier.wake() });
    const audit = createAudit({ store, clock });
    const timetable = createTimetable({ store, clock, log });

    // Who you are
    const gate = createGate({ atOnce: config.limits.hashes, maxWaitMs: 1000 });
    const parameters = surprises.passwordParameters;
    const passwords = createPasswords({ gate, random, ...(parameters ? { parameters } : {}) });
    const accounts = createAccounts({
      store,
      clock,
      random,
      rootKeys,
      passwords,
      tries,
      limits: accountLimits(config.limits),
      mail,
      audit,
      log,
      signingKeys,
      policy: config,
      provision: provision({ clock }),
    });

    // What you may reach
    const track = createTrack({
      store,
      clock,
      limits: config.limits,
      passwordMin: config.passwordMin,
      intercomKey: await loadServerSecret(keyed, "intercom"),
      caller: accounts.anyCredential,
      publicKeys: accounts.publicKeys,
      revealToken: accounts.use.revealToken,
      accounts: {
        change: (principal: Principal, change: AccountChange, incoming: Incoming, alongside) =>
          accounts.use.changeAccount(principal, change, peerOf(incoming), alongside),
        emailOf: (text) => {
          const parsed = parseEmailAddress(text);
          return "canonical" in parsed ? parsed : undefined;
        },
        isDisplayName: (name) => displayNameIssue(name) === undefined,
        replaceToken: ({ account, via }, incoming) =>
          accounts.use.replaceToken(account.id, { channel: via, peer: peerOf(incoming) }),
        close: ({ account, via }, incoming) =>
          accounts.use.closeAccount(account, { channel: via, peer: peerOf(incoming) }),
      },
    });

    accounts.registerJobs(timetable);
    timetable.register("purge-tries", hour, async () => void (await tries.purge()));
    timetable.register("purge-audit", day, async () => void (await audit.purge()));
    timetable.register("purge-changes", 10 * minute, () => store.changes.purge(clock.now() - hour));

    const flusher = setInterval(() => {
      accounts.flush().catch((error: unknown) => log.warn("last_seen_not_written", { error }));
    }, minute);
    flusher.unref();

    return {
      config,
      store,
      accounts,
      routes: [...systemRoutes(store), ...accounts.routes, ...track.routes],
      courier,
      timetable,
      start: () => {
        courier.start();
        timetable.start();
      },
      close: async () => {
        clearInterval(flusher);
        await timetable.stop();
        // A mail server that hangs must not hold the process; what was not sent goes out after the next start.
        await Promise.race([courier.stop(), wait(5000, undefined, { ref: false })]);
        await accounts.flush().catch((error: unknown) => log.warn("last_seen_not_written", { error }));
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
};
