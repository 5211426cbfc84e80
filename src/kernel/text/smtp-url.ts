/** What LATCHKEY_SMTP_URL says. */
import { isLoopbackHost } from "./host.ts";
import { readFlag } from "./flag.ts";
import { readServiceUrl } from "./service-url.ts";

/** Options of the URL, behind its `?`, as the settings and the guide tell of them. */
const smtpOptions = {
  ignoreTLS: "never encrypt, though the server offers it",
  requireTLS: "send nothing without encryption",
  "tls.rejectUnauthorized": "`false` believes any certificate",
  "tls.servername": "the name that the certificate is for",
  name: "how we greet the server (EHLO)",
} as const;

type Option = keyof typeof smtpOptions;

export type SmtpServer = {
  readonly host: string;
  readonly port: number | undefined;
  readonly secure: boolean;
  readonly auth: { readonly user: string; readonly pass: string } | undefined;
  readonly ignoreTLS: boolean;
  readonly requireTLS: boolean;
  /** Go on without encryption where it fails (RFC 7435). */
  readonly opportunisticTLS: boolean;
  readonly name: string | undefined;
  readonly tls: { readonly rejectUnauthorized: boolean; readonly servername?: string };
};

const isOption = (name: string): name is Option => Object.hasOwn(smtpOptions, name);

/** An option that changes nothing would be taken for a safeguard, or for a remedy. */
const faultOfOption = (url: URL, name: Option, given: ReadonlyMap<Option, string>): string | undefined => {
  const isSwitch = name === "ignoreTLS" || name === "requireTLS" || name === "tls.rejectUnauthorized";
  const text = given.get(name) ?? "";
  if (isSwitch && readFlag(text) === undefined) return `must have true or false as ${name}`;
  if (text === "") return `has nothing as ${name}`;
  const isTlsFromStart = url.protocol === "smtps:";
  if (isTlsFromStart && (name === "ignoreTLS" || name === "requireTLS")) {
    return `has ${name}, which is of no effect with smtps://`;
  }
  const ignores = readFlag(given.get("ignoreTLS") ?? "") === true;
  if (ignores && name !== "ignoreTLS" && name !== "name")
    return `has ${name} beside ignoreTLS, where it is of no effect`;
  if (ignores && name === "ignoreTLS" && url.password !== "" && !isLoopbackHost(url.hostname)) {
    return "has ignoreTLS, but a password goes to another machine over TLS only";
  }
  return undefined;
};

/** @returns the server, or why the URL can't be used: a sentence that quotes nothing, without its subject and its full stop */
export const readSmtpUrl = (text: string): SmtpServer | string => {
  const url = readServiceUrl(text, ["smtp:", "smtps:"]);
  if (typeof url === "string") return url;
  const given = new Map<Option, string>();
  for (const [name, value] of url.searchParams) {
    if (!isOption(name))
      return `has an option that is none: there are ${Object.keys(smtpOptions).join(", ")}`;
    given.set(name, value);
  }
  for (const name of given.keys()) {
    const fault = faultOfOption(url, name, given);
    if (fault !== undefined) return fault;
  }
  const switched = (name: Option, standard: boolean): boolean => readFlag(given.get(name) ?? "") ?? standard;
  const isLoopback = isLoopbackHost(url.hostname);
  const withPassword = url.username !== "" || url.password !== "";
  const requireTLS = switched("requireTLS", withPassword && !isLoopback && url.protocol === "smtp:");
  // Nobody listens in between, and a relay of this machine has a certificate that nobody vouches for.
  const opportunisticTLS = isLoopback && !withPassword && !requireTLS && url.protocol === "smtp:";
  const servername = given.get("tls.servername");
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? undefined : Number(url.port),
    secure: url.protocol === "smtps:",
    auth: withPassword
      ? { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) }
      : undefined,
    ignoreTLS: switched("ignoreTLS", false),
    requireTLS,
    opportunisticTLS,
    name: given.get("name"),
    tls: {
      rejectUnauthorized: switched("tls.rejectUnauthorized", !opportunisticTLS),
      ...(servername === undefined ? {} : { servername }),
    },
  };
};
