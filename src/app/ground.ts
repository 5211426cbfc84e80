import {
  accountChannels,
  accountEvents,
  accountLimits,
  createAccounts,
  createSigningKeys,
  type Accounts,
  type Principal,
} from "#accounts";
import { fileURLToPath } from "node:url";
import {
  connectChannels,
  connectEvents,
  createConnect,
  loadCatalogue,
  loadDestinationKey,
  type Connect,
} from "#connect";
import { provision } from "#track";
import { second, systemClock, type Clock } from "#kernel/clock.ts";
import type { Config } from "#kernel/config.ts";
import { createGate } from "#kernel/crypto/passwords/gate.ts";
import { createPasswords, type PasswordParameters } from "#kernel/crypto/passwords/password.ts";
import { loadRootKeys } from "#kernel/crypto/root-keys/root-key-registry.ts";
import type { RootKeys } from "#kernel/crypto/root-keys.ts";
import { loadServerSecret } from "#kernel/crypto/server-secrets.ts";
import type { Store } from "#kernel/db/store.ts";
import { createOutbound, type OutboundDeps } from "#kernel/outbound/outbound.ts";
import { ratePerCredential } from "#kernel/http/rate.ts";
import type { Limit } from "#kernel/http/route.ts";
import { systemRandom, type Random } from "#kernel/ids.ts";
import { createBucket } from "#kernel/limits/bucket.ts";
import { createTries, type Tries } from "#kernel/limits/tries.ts";
import { createMailQueue } from "#kernel/mail/queue.ts";
import { createByteBudget } from "#kernel/memory/byte-budget.ts";
import { createAudit, kernelEvents, type Audit } from "#kernel/telemetry/audit.ts";
import type { Log } from "#kernel/telemetry/log.ts";
import { createOwnApi, type OwnApiLine } from "./own-api.ts";
import { formAt, linksAt } from "./pages/places.ts";

/** What a test winds by hand; a server runs with the real ones. */
export type Surprises = {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly passwordParameters?: PasswordParameters;
  /** The folder of the catalogue. */
  readonly providers?: string;
  /** How long a call may wait for its turn to hash a password. Like the times below, in milliseconds. */
  readonly longestHashWaitMs?: number;
  /** How long a provider may take to tell whose credentials these are. */
  readonly longestCallMs?: number;
  /**
   * What the bodies of requests that arrive at the same time may hold together, in bytes; and so those that are kept for
   * the proxy.
   */
  readonly mostBodyBytes?: number;
  /** How long closing waits for who is being told something. */
  readonly longestTellingMs?: number;
  /** The user of this machine, by number, whose calls may read the outbox in local mode. */
  readonly mailReader?: number;
  /** Within which time a mail is taken. */
  readonly latestLookMs?: number;
  /** Whom outbound calls ask and believe besides: name servers as `address:port`, and PEM certificates. */
  readonly outbound?: Pick<OutboundDeps, "nameServers" | "authorities">;
};

/** Everything that is written down for owners and the operator. */
const vocabulary = {
  events: [...kernelEvents, ...accountEvents, ...connectEvents],
  channels: [...new Set([...accountChannels, ...connectChannels])],
} as const;

type Words = {
  readonly event: (typeof vocabulary.events)[number];
  readonly channel: (typeof vocabulary.channels)[number];
};

export type AuditEventName = Words["event"];

/** What every process of the house stands on, a server as well as a command of the operator. Nothing runs by itself. */
export type Ground = {
  readonly clock: Clock;
  readonly random: Random;
  readonly rootKeys: RootKeys;
  readonly signingKeys: ReturnType<typeof createSigningKeys>;
  readonly tries: Tries;
  readonly audit: Audit<Words>;
  readonly rate: Limit<Principal>;
  readonly accounts: Accounts;
  readonly connect: Connect;
  readonly ownApi: OwnApiLine;
  /** Cuts off the calls that still go out. */
  readonly close: () => Promise<void>;
};

const providersFolder = new URL("../../providers/", import.meta.url);

/**
 * Opens the keys and builds who you are.
 *
 * @param wake called when a mail was queued
 * @throws SetupFault when a root key is missing or wrong
 */
export const layGround = async (
  { store, config, log }: { readonly store: Store; readonly config: Config; readonly log: Log },
  wake: () => void,
  surprises: Surprises = {},
): Promise<Ground> => {
  const clock = surprises.clock ?? systemClock;
  const random = surprises.random ?? systemRandom;

  // Keys
  const rootKeys = await loadRootKeys({ store, config, clock, random, log });
  const keyed = { store, rootKeys, random, clock };
  const signingKeys = createSigningKeys(keyed);
  const tries = createTries({ store, key: await loadServerSecret(keyed, "tries"), clock });

  // Mail and audit
  const mail = createMailQueue({ rootKeys, random, clock, wake });
  const audit = createAudit({ store, clock, vocabulary });

  // Who you are
  const { longestHashWaitMs = second } = surprises;
  const gate = createGate({ atOnce: config.limits.hashes, maxWaitMs: longestHashWaitMs });
  const parameters = surprises.passwordParameters;
  const passwords = createPasswords({ gate, random, ...(parameters ? { parameters } : {}) });
  const rate = ratePerCredential(
    createBucket({ clock, ratePerSecond: config.limits.rate, burst: config.limits.burst }),
  );
  const accounts = createAccounts({
    store,
    clock,
    random,
    rootKeys,
    passwords,
    tries,
    limits: accountLimits(config.limits),
    rate,
    mail,
    audit,
    log,
    signingKeys,
    policy: config,
    links: linksAt(config.origin),
    provision: provision({ clock }),
  });

  // Whose doors you hold keys to
  const { longestCallMs } = surprises;
  const outbound = createOutbound({
    ...surprises.outbound,
    allow: config.outboundAllow,
    ownOrigin: config.origin,
    clock,
    ...(longestCallMs === undefined ? {} : { longestCallMs }),
  });
  const ownApi = createOwnApi(config.origin);
  const connect = createConnect({
    destinationKey: await loadDestinationKey(keyed),
    store,
    clock,
    random,
    rootKeys,
    tries,
    audit,
    log,
    catalogue: loadCatalogue(surprises.providers ?? fileURLToPath(providersFolder)),
    outbound,
    ownApi: ownApi.call,
    keptBodies: createByteBudget({ clock, mostBytes: surprises.mostBodyBytes }),
    policy: config,
    formAddress: formAt(config.origin),
  });

  return {
    clock,
    random,
    rootKeys,
    signingKeys,
    tries,
    audit,
    rate,
    accounts,
    connect,
    ownApi,
    close: outbound.close,
  };
};
