import {
  changeAccountRefuses,
  closeAccountRefuses,
  displayNameIssue,
  parseEmailAddress,
  peerOf,
  type AccountChange,
  type Accounts,
  type Principal,
} from "#accounts";
import type { Connect } from "#connect";
import { createTrack } from "#track";
import { day, hour, minute, second, systemClock, type Clock } from "#kernel/clock.ts";
import type { Config } from "#kernel/config.ts";
import { loadServerSecret } from "#kernel/crypto/server-secrets.ts";
import type { Store } from "#kernel/db/store.ts";
import { createDrain, type Drain } from "#kernel/http/drain.ts";
import type { Incoming } from "#kernel/http/incoming.ts";
import type { Route } from "#kernel/http/route.ts";
import type { Wire } from "#kernel/http/wire.ts";
import { createTimetable, type Timetable } from "#kernel/jobs.ts";
import { createCourier, type Courier } from "#kernel/mail/courier.ts";
import type { MailTransport } from "#kernel/mail/message.ts";
import { createOutboxTransport, purgeOutbox } from "#kernel/mail/transport.outbox.ts";
import { createSmtpTransport } from "#kernel/mail/transport.smtp.ts";
import { createByteBudget, type ByteBudget } from "#kernel/memory/byte-budget.ts";
import type { Log } from "#kernel/telemetry/log.ts";
import { purgeChanges } from "#kernel/db/purge.ts";
import { demoSpot } from "./pages/connect-demo.ts";
import { withDocuments } from "./documents/docs-routes.ts";
import { guideRoutes } from "./guides/routes.ts";
import { layGround, type Surprises } from "./ground.ts";
import type { OwnApiLine } from "./own-api.ts";
import { openMigratedStore, outboxFolder, storeAddress } from "./open-store.ts";
import { createPages } from "./pages/pages.ts";
import { createReadiness } from "./readiness.ts";
import { systemRoutes } from "./system-routes.ts";

/** The house, built and not yet listening. Read from top to bottom, this is how everything hangs together. */
export type House = {
  readonly config: Config;
  readonly store: Store;
  readonly accounts: Accounts;
  readonly connect: Connect;
  readonly routes: readonly Route[];
  /** What answers people where no row does. */
  readonly pagesWire: Wire;
  readonly ownApi: OwnApiLine;
  readonly clock: Clock;
  /** What bodies of requests may hold together. */
  readonly bodies: ByteBudget;
  readonly courier: Courier;
  readonly timetable: Timetable;
  /** Begun by whoever stops the server. */
  readonly drain: Drain;
  /** Starts what runs by itself: mail, webhooks and jobs. */
  start(): void;
  /** Begins nothing more by itself, and waits a while for what was begun. */
  rest(): Promise<void>;
  close(): Promise<void>;
};

const transportOf = (config: Config): MailTransport => {
  const sender = { from: config.mailFrom, host: config.origin.hostname };
  return config.smtpUrl
    ? createSmtpTransport({ ...sender, url: config.smtpUrl })
    : createOutboxTransport({ ...sender, folder: outboxFolder(config) });
};

/**
 * Opens the store, migrates it and builds every room on it. Nothing listens, and nothing runs by itself before `start`
 * but the change feed and the note of when things were last used. After `close` nothing is left open.
 *
 * @param surprises what a test winds by hand; a server runs with the real ones
 * @throws SetupFault when the store can't be reached, is of a newer version, or lacks a root key; nothing is open then
 *
 * @example
 * const house = await compose(loadConfig(), log);
 * const server = await serve(house, log); // listens, and calls house.start()
 * await server.stop(); // lets running calls end, and calls house.close()
 */
export const compose = async (config: Config, log: Log, surprises: Surprises = {}): Promise<House> => {
  const { longestTellingMs = 5 * second, latestLookMs } = surprises;
  const store = await openMigratedStore(config, surprises.clock ?? systemClock, log);
  try {
    const drain = createDrain();

    // Keys, and who you are
    const ground = await layGround({ store, config, log }, () => courier.wake(), surprises);
    const { clock, random, rootKeys, tries, audit, rate, accounts, connect } = ground;

    const readiness = await createReadiness(store, storeAddress(config), drain);

    // Mail and jobs
    const courier = createCourier({
      store,
      rootKeys,
      clock,
      random,
      log,
      transport: transportOf(config),
      ...(latestLookMs === undefined ? {} : { latestLookMs }),
    });
    const timetable = createTimetable({ store, clock, log });

    // What you may reach
    const track = createTrack({
      store,
      clock,
      rate,
      quota: config.limits.quota,
      passwordMin: config.passwordMin,
      intercomKey: await loadServerSecret({ store, rootKeys, random, clock }, "intercom"),
      caller: accounts.anyCredential,
      publicKeys: accounts.publicKeys,
      revealToken: accounts.use.revealToken,
      accounts: {
        change: (principal: Principal, change: AccountChange, incoming: Incoming, alongside) =>
          accounts.use.changeAccount(principal, change, peerOf(incoming), alongside),
        changeRefuses: changeAccountRefuses,
        closeRefuses: closeAccountRefuses,
        emailOf: (text) => {
          const parsed = parseEmailAddress(text);
          return "canonical" in parsed ? parsed : undefined;
        },
        isDisplayName: (name) => displayNameIssue(name) === undefined,
        replaceToken: ({ account, via }, incoming) =>
          accounts.use.replaceToken(account.id, { channel: via, peer: peerOf(incoming) }),
        close: async ({ account, via }, incoming) =>
          void (await accounts.use.closeAccount(account, { channel: via, peer: peerOf(incoming) })),
      },
    });

    // What people see
    const pages = createPages({
      config,
      caller: accounts.anyCredential,
      limit: rate,
      connectOrigins: connect.use.connectOrigins,
      demoConnections: connect.personalAt(demoSpot),
      mailReader: surprises.mailReader,
    });
    const guides = guideRoutes({
      origin: config.origin,
      providers: connect.providers,
      look: pages.look,
      wire: pages.wire,
    });

    accounts.registerJobs(timetable);
    connect.registerJobs(timetable);
    timetable.register("purge-tries", hour, async (signal) => void (await tries.purge(signal)));
    timetable.register("purge-audit", day, async (signal) => void (await audit.purge(signal)));
    timetable.register(
      "purge-outbox",
      hour,
      async () => void (await purgeOutbox(outboxFolder(config), clock.now())),
    );
    timetable.register("purge-changes", 10 * minute, (signal) =>
      purgeChanges(store.query, clock.now() - hour, signal),
    );

    const noteFailure = (error: unknown): void => log.warn("last_seen_not_written", { error });
    /** What one room can't write keeps no other from writing. */
    const flush = async (): Promise<void> => {
      for (const room of [accounts, connect]) await room.flush().catch(noteFailure);
    };
    const flusher = setInterval(() => void flush(), minute);
    flusher.unref();

    let resting: Promise<void> | undefined;
    const comeToRest = async (): Promise<void> => {
      await timetable.stop();
      // Who hangs while being told must not hold the process; what was not sent goes out after the next start.
      await Promise.all([courier.stop(longestTellingMs), connect.webhooks.courier.stop(longestTellingMs)]);
    };
    const rest = (): Promise<void> => (resting ??= comeToRest());

    return {
      config,
      store,
      accounts,
      connect,
      routes: withDocuments(
        [
          ...systemRoutes(readiness),
          ...accounts.routes,
          ...track.routes,
          ...connect.routes,
          ...pages.routes,
          ...guides,
        ],
        config.origin,
      ),
      pagesWire: pages.wire,
      ownApi: ground.ownApi,
      clock,
      drain,
      bodies: createByteBudget({ clock, mostBytes: surprises.mostBodyBytes }),
      courier,
      timetable,
      start: () => {
        courier.start();
        connect.webhooks.courier.start();
        timetable.start();
      },
      rest,
      close: async () => {
        clearInterval(flusher);
        await rest();
        await flush();
        await ground.close();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
};
