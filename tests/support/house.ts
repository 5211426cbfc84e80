// A whole server in this process, on a fresh store of the project's kind, with a clock that tests wind by hand.

import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import { compose, type House } from "#app/compose.ts";
import type { Surprises } from "#app/ground.ts";
import { outboxFolder } from "#app/open-store.ts";
import { serve, type ServeOptions } from "#app/server.ts";
import type { Clock } from "#kernel/clock.ts";
import { loadConfig, type Config } from "#kernel/config.ts";
import { createLog } from "#kernel/telemetry/log.ts";
import { createCauses, type Causes } from "./caused.ts";
import { createClient, sessionOf, type Client, type Reply } from "./http.ts";
import { freePort } from "./free-port.ts";
import { setIdsApart } from "./ids-apart.ts";
import { readOutbox, type Mail } from "./mails.ts";
import { createDatabase } from "./postgres.ts";
import { watchAnswers, type Watch } from "./sightings.ts";

export type TestClock = Clock & { advance(milliseconds: number): void };

const createTestClock = (): TestClock => {
  let at = Date.parse("2026-03-04T05:06:07.000Z");
  return {
    now: () => at,
    advance: (milliseconds) => {
      at += milliseconds;
    },
  };
};

/** Argon2id as cheap as it gets: what is tested is that it is asked, not what it costs. */
const cheapPasswords = { memory: 64, passes: 1, lanes: 1 };

/** Settings for suites that make more people and more mistakes than the limits allow, and are not about limits. */
export const roomy = {
  LATCHKEY_SIGN_UPS: "1000",
  LATCHKEY_PASSWORD_TRIES: "100",
  LATCHKEY_NETWORK_TRIES: "10000",
  LATCHKEY_MAILS: "1000",
};

export type Person = { readonly email: string; readonly password: string; readonly session: string };

export type TestHouse = Client & {
  readonly config: Config;
  readonly inside: House;
  readonly clock: TestClock;
  /** Every log line so far, as it was written. */
  readonly logs: readonly string[];
  /** Everything that was mailed so far, oldest first. */
  mails(): Promise<readonly Mail[]>;
  /** The newest mail to this address, or the newest with this subject: mails of one millisecond have no order. */
  mailTo(address: string, subject?: string): Promise<Mail | undefined>;
  /** Signs somebody up. */
  person(email?: string, password?: string): Promise<Person>;
  tokenOf(person: Person): Promise<string>;
  /** Another process of the same store, as far as one process can be two: it shares nothing but the store and the clock. */
  twin(settings?: Settings): Promise<TestHouse>;
  /** The same store after a restart. This house is stopped. */
  restart(settings?: Settings, furniture?: Furniture): Promise<TestHouse>;
  stop(): Promise<void>;
};

type Settings = Readonly<Record<string, string>>;

/** What no setting says. */
type Furniture = Pick<
  Surprises,
  "providers" | "longestCallMs" | "mailReader" | "mostBodyBytes" | "outbound"
> &
  ServeOptions;

type Ground = {
  readonly settings: Settings;
  readonly furniture: Furniture;
  readonly clock: TestClock;
  readonly causes: Causes;
  /** Removes what the house lay on. */
  readonly clear: () => Promise<void>;
};

const layGround = async (settings: Settings, furniture: Furniture): Promise<Ground> => {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-test-"));
  const store = inject("store");
  const database =
    store.kind === "postgres" ? await createDatabase(store.adminUrl, store.migrated) : undefined;
  if (store.kind === "sqlite") await copyFile(store.migrated, join(folder, "latchkey.db"));
  const port = await freePort();
  return {
    settings: {
      LATCHKEY_DATA: folder,
      LATCHKEY_PORT: String(port),
      LATCHKEY_ORIGIN: `http://localhost:${port}`,
      LATCHKEY_LOG_LEVEL: "debug",
      ...(database ? { LATCHKEY_DATABASE_URL: database.url } : {}),
      ...settings,
    },
    furniture,
    clock: createTestClock(),
    causes: createCauses(),
    clear: async () => {
      await database?.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

let people = 0;

const build = async (ground: Ground): Promise<TestHouse> => {
  const config = loadConfig(ground.settings, false);
  const logs: string[] = [];
  let note = (_line: string): void => {};
  const log = createLog({
    level: config.logLevel,
    clock: ground.clock,
    destination: {
      write: (line) => {
        logs.push(line);
        note(line);
      },
    },
  });
  const composed = await compose(config, log, {
    ...ground.furniture,
    clock: ground.clock,
    passwordParameters: cheapPasswords,
    latestLookMs: 0,
  });
  const watch = watchAnswers(composed.routes);
  watches.push(watch);
  ({ note } = watch);
  const inside: House = { ...composed, routes: watch.rows };
  // The jobs are run by hand: what they do is then what a test has them do.
  const start = (): void => {
    inside.courier.start();
    inside.connect.webhooks.courier.start();
  };
  const server = await serve({ ...inside, start }, log, ground.furniture);
  const client = createClient(config.port, config.origin.host);
  let stopped: Promise<void> | undefined;
  const twins: TestHouse[] = [];
  const witness = { inside, logs };
  ground.causes.add(witness);
  const stopServer = (): Promise<void> => {
    client.close();
    return (stopped ??= ground.causes.leave(witness).then(() => server.stop()));
  };
  const mails = async (): Promise<readonly Mail[]> => {
    await inside.courier.deliverDue();
    return readOutbox(outboxFolder(config));
  };
  const house: TestHouse = {
    ...client,
    config,
    inside,
    clock: ground.clock,
    logs,
    mails,
    mailTo: async (address, subject) =>
      (await mails()).findLast((mail) => mail.to === address && (subject ?? mail.subject) === mail.subject),
    person: async (email = `person${++people}@example.com`, password = "a quiet river at noon") => {
      const reply: Reply = await client.send("POST", "/api/signup", {
        json: { email, password, tos_accepted_for: "track" },
      });
      const session = sessionOf(reply);
      if (reply.status !== 200 || session === undefined)
        throw new Error(`Sign-up failed: ${reply.status} ${reply.text}`);
      // Now: a test that winds the clock must not find that the mail of this ran out on its way.
      if (config.smtpUrl === undefined) await inside.courier.deliverDue();
      return { email, password, session };
    },
    tokenOf: async ({ session }) => {
      const me = (await client.send("GET", "/api/v9/me", { session })).json();
      if (typeof me !== "object" || me === null || !("api_token" in me) || typeof me.api_token !== "string") {
        throw new Error("No token in /me");
      }
      return me.api_token;
    },
    twin: async (settings = {}) => {
      const port = String(await freePort());
      const twin = await build({
        ...ground,
        settings: { ...ground.settings, LATCHKEY_PORT: port, ...settings },
      });
      twins.push(twin);
      return twin;
    },
    restart: async (settings = {}, furniture = {}) => {
      await stopServer();
      return build({
        ...ground,
        settings: { ...ground.settings, ...settings },
        furniture: { ...ground.furniture, ...furniture },
      });
    },
    stop: async () => {
      for (const twin of twins) await twin.stop();
      await stopServer();
    },
  };
  houses.push(house);
  return house;
};

const grounds: Ground[] = [];
const houses: TestHouse[] = [];
const watches: Watch[] = [];

/** Starts a house; it, its twins, what it was restarted as and its store are gone after `stopHouses`. */
export const startHouse = async (settings: Settings = {}, furniture: Furniture = {}): Promise<TestHouse> => {
  const ground = await layGround(settings, furniture);
  grounds.push(ground);
  const house = await build(ground);
  await setIdsApart(house.inside.store);
  return house;
};

/** For `afterAll` or `afterEach`. */
export const stopHouses = async (): Promise<void> => {
  for (const house of houses.splice(0)) await house.stop();
  for (const ground of grounds.splice(0)) await ground.clear();
  for (const watch of watches.splice(0)) watch.check();
};
