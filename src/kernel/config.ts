import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { SetupFault } from "./errors.ts";
import { readSmtpUrl } from "./text/smtp-url.ts";
import { nearestTo } from "./nearest.ts";
import type { Secret } from "./secret.ts";
import { mayBeEmailAddress } from "./text/email-address.ts";
import { isLoopbackHost } from "./text/host.ts";
import { withoutUnseenAround } from "./text/unseen.ts";
import {
  flag,
  hidden,
  appOriginOf,
  isRange,
  list,
  originOf,
  text,
  urlOf,
  wholeNumber,
  words,
  wrong,
  type Setting,
} from "./setting.ts";

/**
 * Every setting there is, with its default and its meaning. This is the only file that reads the
 * environment; the README's table is generated from it. All settings are optional.
 */

const wholeHost =
  "Its cookies are good for a whole host, so whatever else runs there, below other paths, could use them: give it a host name of its own, like https://id.example.com.";

const cores = availableParallelism();

export const settings = {
  LATCHKEY_HOST: text("127.0.0.1", "Address to listen on. `0.0.0.0` or `::` for every interface."),
  LATCHKEY_PORT: wholeNumber(3000, 1, 65_535, "Port to listen on."),
  LATCHKEY_ORIGIN: {
    meaning:
      "The address people type. It goes into links, cookies and tokens. Plain `http` is taken for loopback only.",
    shown: "http://localhost:<port>",
    read: (given: string | undefined, name: string) =>
      given === undefined ? undefined : originOf(given, name, wholeHost),
  },
  LATCHKEY_DATA: text("./data", "Folder of the database, the root key file and the outbox."),
  LATCHKEY_DATABASE_URL: hidden(
    "`postgres://…` to keep everything in PostgreSQL. Without it: SQLite in the data folder.",
    (given, name) => void urlOf(given, ["postgres:", "postgresql:"], name),
  ),
  LATCHKEY_SMTP_URL: hidden(
    "`smtp://user:password@host:587` (STARTTLS when offered) or `smtps://…`, with the options `requireTLS`, `ignoreTLS`, `tls.rejectUnauthorized`, `tls.servername` and `name` behind a `?`. Without it: mail becomes files in the outbox.",
    (given, name) => {
      const server = readSmtpUrl(given);
      if (typeof server === "string") throw new SetupFault(`${name} ${server}.`);
    },
  ),
  LATCHKEY_MAIL_FROM: {
    meaning: "Sender of the mails.",
    shown: "Latchkey <no-reply@<origin's host>>",
    read: (given: string | undefined, name: string) => {
      const [, named, bare = named] = /^(?:[^\r\n<>@]*<([^<>]+)>|([^<>]+))$/.exec(given ?? "") ?? [];
      if (given !== undefined && !mayBeEmailAddress.test(bare ?? "")) {
        throw wrong(name, "a mail address, like Latchkey <no-reply@example.com>", given);
      }
      return given;
    },
  },
  LATCHKEY_MAIL: words(
    undefined,
    "",
    ["outbox"],
    "`outbox` lets a server whose origin is not local run without SMTP; mail stays in the outbox folder.",
  ),
  LATCHKEY_ROOT_KEYS: hidden(
    "Root keys as `id:base64,…` (32 bytes each); all open, and a new store seals with the first. Without it: a file in the data folder.",
    () => undefined,
  ),
  LATCHKEY_TRUSTED_PROXIES: list(
    "Addresses or ranges (`10.0.0.0/8`) whose `X-Forwarded-For` is believed.",
    (entry, name) => {
      if (!isRange(entry)) throw wrong(name, "a list of addresses or ranges such as 10.0.0.0/8", entry);
      return entry;
    },
  ),
  LATCHKEY_CORS_ORIGINS: list(
    "Origins whose pages may call the Accounts and Track API with the session cookie. Those of extensions and apps too: `chrome-extension://…`, `capacitor://localhost`.",
    appOriginOf,
  ),
  LATCHKEY_OUTBOUND_ALLOW: list(
    "Origins (`http://10.0.0.5:8080`) of providers that may be called although they are private, on this machine, or plain `http`.",
    (entry, name) => originOf(entry, name).origin,
  ),
  LATCHKEY_DRAIN_SECONDS: {
    ...wholeNumber(
      undefined,
      0,
      60,
      "Seconds after SIGTERM in which it still takes calls, while `/readyz` says 503 and answers say `Connection: close`, so that a proxy goes elsewhere. Running calls then have until 8 seconds after the signal, and 3 seconds at least.",
    ),
    shown: "3 (0 where the origin is local)",
  },
  LATCHKEY_LOG_LEVEL: words(
    undefined,
    "info (warn on a terminal)",
    ["debug", "info", "warn", "error", "silent"],
    "What is written to standard error, one JSON line an event. `debug` has a line per request, `info` per refusal (of one kind and network ten a minute, and then their number).",
  ),
  LATCHKEY_PASSWORD_MIN: wholeNumber(8, 8, 64, "Fewest characters of a new password (NIST advises 15)."),
  LATCHKEY_REVEAL_TOKEN: flag(true, "`false` leaves `api_token` out of `/me`."),
  LATCHKEY_SESSION_IDLE_DAYS: wholeNumber(0, 0, 28, "Days without use after which a session ends; 0: never."),
  LATCHKEY_CLOSE_GRACE_DAYS: wholeNumber(
    14,
    0,
    365,
    "Days in which a closed account can be taken back; 0 erases at once.",
  ),
  LATCHKEY_HIDE_ACCOUNTS: words(
    undefined,
    "",
    ["strict"],
    "`strict` answers a sign-up with a taken address like any other, and lets nobody sign in by password before their address is verified.",
  ),
  LATCHKEY_REQUIRE_VERIFIED_EMAIL: flag(
    false,
    "`true` lets nobody sign in by password before their address is verified.",
  ),
  LATCHKEY_PASSWORD_TRIES: wholeNumber(
    10,
    1,
    100,
    "Wrong passwords for one address in 15 minutes before waits begin.",
  ),
  LATCHKEY_NETWORK_TRIES: wholeNumber(
    200,
    1,
    1_000_000,
    "Wrong passwords from one network (IPv4 address, IPv6 /64) in 10 minutes; from an IPv6 /56 eight times, from a /48 32 times as many.",
  ),
  LATCHKEY_RATE: wholeNumber(20, 1, 1_000_000, "Calls a second of one credential, in the long run."),
  LATCHKEY_BURST: wholeNumber(100, 1, 1_000_000, "Calls at once of one credential."),
  LATCHKEY_QUOTA: wholeNumber(36_000, 1, 1_000_000_000, "Calls an hour of one account."),
  LATCHKEY_SIGN_UPS: wholeNumber(30, 1, 1_000_000, "Sign-ups an hour from one network."),
  LATCHKEY_MAILS: wholeNumber(
    5,
    1,
    1_000_000,
    "Mails an hour that strangers can cause to one address, by asking for resets and the like; one network causes two fifths.",
  ),
  LATCHKEY_CONNECT_SESSION_MINUTES: wholeNumber(
    30,
    1,
    1440,
    "Minutes that a link to the Connect form is good for.",
  ),
  LATCHKEY_CONNECT_REUSABLE: flag(
    false,
    "`true` lets one link be used for several connections until it expires, as the original does.",
  ),
  LATCHKEY_HASHES: wholeNumber(cores, 1, 1024, "Password hashes computed at once."),
} satisfies Record<string, Setting<unknown>>;

// Shown in the README, where the machine that generates it must not matter.
export const shownDefault = (name: keyof typeof settings): string =>
  name === "LATCHKEY_HASHES" ? "the machine's cores" : settings[name].shown;

export type Limits = {
  readonly passwordTries: number;
  readonly networkTries: number;
  readonly rate: number;
  readonly burst: number;
  readonly quota: number;
  readonly signUps: number;
  readonly mails: number;
  readonly hashes: number;
};

export type Config = {
  readonly host: string;
  readonly port: number;
  readonly origin: URL;
  readonly dataFolder: string;
  readonly databaseUrl: Secret | undefined;
  readonly smtpUrl: Secret | undefined;
  readonly mailFrom: string;
  readonly rootKeys: Secret | undefined;
  readonly trustedProxies: readonly string[];
  readonly corsOrigins: readonly string[];
  readonly outboundAllow: readonly string[];
  readonly drainSeconds: number;
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
  readonly passwordMin: number;
  readonly revealToken: boolean;
  readonly sessionIdleDays: number;
  readonly closeGraceDays: number;
  readonly hideAccounts: boolean;
  readonly requireVerifiedEmail: boolean;
  readonly connectSessionMinutes: number;
  readonly connectReusable: boolean;
  readonly limits: Limits;
};

const unknownNames = (environment: Environment): readonly ConfigFault[] => {
  const known = Object.keys(settings);
  return (
    Object.keys(environment)
      .filter((name) => name.startsWith("LATCHKEY_") && !known.includes(name))
      // Variables of the project's own tests are not settings of the server.
      .filter((name) => !name.startsWith("LATCHKEY_TEST_"))
      .map((name) => {
        const nearest = nearestTo(name, known, 6);
        return { name, sentence: `${name} is not a setting.${nearest ? ` Did you mean ${nearest}?` : ""}` };
      })
  );
};

/**
 * Threads for libuv. It lets look-ups by the system (of PostgreSQL's host, say), which may hang, take half of them; the
 * other half is as many as there are hashes at once, and two for files. It counts from the first use of a thread on, so
 * call it before anything else; a size that the operator gave stays.
 */
export const sizeThreadPool = ({ limits }: Pick<Config, "limits">): void => {
  process.env["UV_THREADPOOL_SIZE"] ??= String(2 * (limits.hashes + 2));
};

export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of this process, for whoever starts something in it. */
export const ownEnvironment: Environment = process.env;

/** A setting that can't be used as it is, and the sentence that says why. */
export type ConfigFault = { readonly name: string; readonly sentence: string };

/**
 * Every fault of the environment, in the order in which a start would stumble over them, and the settings with
 * defaults in place of those that are wrong: for whoever looks for what is the matter. Empty means unset.
 */
export const inspectConfig = (
  environment: Environment,
  onTerminal: boolean,
): {
  readonly config: Config;
  readonly faults: readonly ConfigFault[];
  /** The settings that are not left to their defaults. */
  readonly given: readonly string[];
} => {
  const faults = [...unknownNames(environment)];
  const get = <Name extends keyof typeof settings>(
    name: Name,
  ): ReturnType<(typeof settings)[Name]["read"]> => {
    const given = withoutUnseenAround(environment[name] ?? "");
    const setting: Setting<unknown> = settings[name];
    const read = (typed: string | undefined) =>
      // Each row's `read` is the only source of its value, so its return type is the value's type.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      setting.read(typed, name) as ReturnType<(typeof settings)[Name]["read"]>;
    try {
      return read(given === "" ? undefined : given);
    } catch (error) {
      if (!(error instanceof SetupFault)) throw error;
      faults.push({ name, sentence: error.message });
      return read(undefined);
    }
  };

  const port = get("LATCHKEY_PORT");
  const origin = get("LATCHKEY_ORIGIN") ?? new URL(`http://localhost:${port}`);
  const local = isLoopbackHost(origin.hostname);
  if (origin.protocol === "http:" && !local) {
    faults.push({
      name: "LATCHKEY_ORIGIN",
      sentence: `LATCHKEY_ORIGIN must be https for ${origin.hostname}: browsers keep the session cookie only over https or on localhost.`,
    });
  }
  const smtpUrl = get("LATCHKEY_SMTP_URL");
  const keepsMails = get("LATCHKEY_MAIL") === "outbox";
  // One that is given and wrong was told of already.
  const isMailWrong = faults.some(({ name }) => name === "LATCHKEY_SMTP_URL" || name === "LATCHKEY_MAIL");
  if (!local && !smtpUrl && !keepsMails && !isMailWrong) {
    faults.push({
      name: "LATCHKEY_MAIL",
      sentence: `${origin.hostname} is not local, so mail must reach people: set LATCHKEY_SMTP_URL, or LATCHKEY_MAIL=outbox to keep mails as files.`,
    });
  }
  const config: Config = {
    // In brackets, as URLs have it.
    host: get("LATCHKEY_HOST").replace(/^\[(.*)\]$/, "$1"),
    port,
    origin,
    dataFolder: resolve(get("LATCHKEY_DATA")),
    databaseUrl: get("LATCHKEY_DATABASE_URL"),
    smtpUrl,
    mailFrom: get("LATCHKEY_MAIL_FROM") ?? `Latchkey <no-reply@${origin.hostname.replaceAll(/[[\]]/g, "")}>`,
    rootKeys: get("LATCHKEY_ROOT_KEYS"),
    trustedProxies: get("LATCHKEY_TRUSTED_PROXIES"),
    corsOrigins: get("LATCHKEY_CORS_ORIGINS"),
    outboundAllow: get("LATCHKEY_OUTBOUND_ALLOW"),
    drainSeconds: get("LATCHKEY_DRAIN_SECONDS") ?? (local ? 0 : 3),
    logLevel: get("LATCHKEY_LOG_LEVEL") ?? (onTerminal ? "warn" : "info"),
    passwordMin: get("LATCHKEY_PASSWORD_MIN"),
    revealToken: get("LATCHKEY_REVEAL_TOKEN"),
    sessionIdleDays: get("LATCHKEY_SESSION_IDLE_DAYS"),
    closeGraceDays: get("LATCHKEY_CLOSE_GRACE_DAYS"),
    hideAccounts: get("LATCHKEY_HIDE_ACCOUNTS") === "strict",
    requireVerifiedEmail: get("LATCHKEY_REQUIRE_VERIFIED_EMAIL"),
    connectSessionMinutes: get("LATCHKEY_CONNECT_SESSION_MINUTES"),
    connectReusable: get("LATCHKEY_CONNECT_REUSABLE"),
    limits: {
      passwordTries: get("LATCHKEY_PASSWORD_TRIES"),
      networkTries: get("LATCHKEY_NETWORK_TRIES"),
      rate: get("LATCHKEY_RATE"),
      burst: get("LATCHKEY_BURST"),
      quota: get("LATCHKEY_QUOTA"),
      signUps: get("LATCHKEY_SIGN_UPS"),
      mails: get("LATCHKEY_MAILS"),
      hashes: get("LATCHKEY_HASHES"),
    },
  };
  const given = Object.keys(settings).filter((name) => withoutUnseenAround(environment[name] ?? "") !== "");
  return { config, faults, given };
};

/**
 * The settings out of the environment. Empty means unset.
 * @throws SetupFault with one sentence for the first setting that is wrong.
 */
export const loadConfig = (environment: Environment, onTerminal: boolean): Config => {
  const { config, faults } = inspectConfig(environment, onTerminal);
  if (faults[0]) throw new SetupFault(faults[0].sentence);
  return config;
};
