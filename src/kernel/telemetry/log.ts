/** What the server tells its operator: one JSON line an event on standard error. Secrets have no way into it. */
import { pino, type DestinationStream } from "pino";

import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { Secret } from "../secret.ts";
import { createLineSink } from "./line-sink.ts";

export type LogFields = Readonly<Record<string, unknown>>;

/** Events, not sentences: `event` is a fixed name such as `mail_sent`; what varies goes into the fields. */
export type Log = {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
};

export type LogDeps = {
  readonly level: Config["logLevel"];
  readonly clock: Clock;
  /** Standard error when left out. Each write is one line. */
  readonly destination?: DestinationStream;
};

const hidden = "[secret]";
const deepest = 6;
const longestText = 8 * 1024;
const longestList = 100;

/** Names whose values are secrets wherever they turn up, compared without hyphens, underscores and case. */
const secretNames = new Set(
  [
    "password current_password new_password pass passphrase secret client_secret token api_token access_token",
    "refresh_token session_token id_token authorization proxy_authorization cookie set_cookie jwt credentials",
    "private_key root_key root_keys api_key dsn database_url smtp_url connection_string email",
  ]
    .join(" ")
    .split(" ")
    .map((name) => name.replaceAll("_", "")),
);

/** The forms in which a secret may hide in other people's messages. */
const secretForms: ReadonlyArray<readonly [RegExp, string]> = [
  // scheme://user:password@host, the password with what an operator forgot to escape; not a stack's file://…/@scope/
  [/\b(?!file:)([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/?#]*(?:[/?#][^\s/?#@]*){0,4}@/gi, `$1${hidden}@`],
  [/\b(Basic|Bearer)\s+[A-Za-z0-9+/=._~:-]{6,}/gi, `$1 ${hidden}`],
  // A JWT, whose first part is a base64url of {"
  [/\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g, hidden],
];

const cleanText = (text: string): string => {
  const short = text.length > longestText ? `${text.slice(0, longestText)}…` : text;
  return secretForms.reduce((cleaned, [form, instead]) => cleaned.replace(form, instead), short);
};

/** Only what is named here: a driver's error also carries the rows and parameters that it failed on. */
const cleanError = (error: Error, depth: number): unknown => ({
  type: error.name,
  message: cleanText(error.message),
  ...("code" in error && (typeof error.code === "string" || typeof error.code === "number")
    ? { code: error.code }
    : {}),
  stack: cleanText(error.stack ?? ""),
  ...(error.cause === undefined ? {} : { cause: clean(error.cause, depth + 1) }),
  ...(error instanceof AggregateError ? { errors: clean(error.errors, depth + 1) } : {}),
});

const isSecretName = (name: string): boolean => secretNames.has(name.replaceAll(/[-_]/g, "").toLowerCase());

const cleanEntries = (value: object, depth: number): LogFields =>
  Object.fromEntries(
    Object.entries(value)
      .slice(0, longestList)
      .map(([name, field]) => [
        name,
        isSecretName(name) && field !== null && field !== undefined ? hidden : clean(field, depth + 1),
      ]),
  );

const clean = (value: unknown, depth: number): unknown => {
  if (typeof value === "string") return cleanText(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "function" || typeof value === "symbol") return `[${typeof value}]`;
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Secret) return hidden;
  if (depth > deepest) return "[deeper]";
  if (value instanceof Error) return cleanError(value, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "invalid date" : value.toISOString();
  if (value instanceof URL) return cleanText(value.href);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.slice(0, longestList).map((one: unknown) => clean(one, depth + 1));
  if (value instanceof Set || value instanceof Map) return clean([...value], depth);
  return cleanEntries(value, depth);
};

export const createLog = ({ level, clock, destination }: LogDeps): Log => {
  const logger = pino(
    {
      level,
      base: { pid: process.pid },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
    },
    destination ?? createLineSink(clock),
  );
  const at =
    (name: keyof Log) =>
    (event: string, fields: LogFields = {}): void => {
      if (!logger.isLevelEnabled(name)) return;
      logger[name](Object.assign({ event }, cleanEntries(fields, 0), { event }));
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
};
