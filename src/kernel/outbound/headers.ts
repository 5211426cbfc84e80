/** What of a message's head goes on, and what was only for the hop it came by (RFC 9110 §7.6.1). */

export type HeadersIn = Readonly<Record<string, string | readonly string[] | undefined>>;
export type HeadersOut = Record<string, string | string[]>;

/** What a request carries: the head as it came, less some, and with some of ours, which win over it. */
export type RequestHead = {
  /** Names in lower case, as Node has them. */
  readonly headers?: HeadersIn | undefined;
  /** Names in lower case that stay here. */
  readonly drop?: ReadonlySet<string> | undefined;
  readonly add?: Readonly<Record<string, string>> | undefined;
};

const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** These follow from the URL and the body, which are ours to send. `Expect` was answered where it came in. */
const ours: ReadonlySet<string> = new Set([...hopByHop, "content-length", "expect", "host"]);

const nothing: ReadonlySet<string> = new Set();

/** The headers that `Connection` declares to be of one hop only. Nearly always there are none. */
const nominatedBy = (connection: string | readonly string[] | undefined): ReadonlySet<string> => {
  if (connection === undefined || connection === "keep-alive" || connection === "close") return nothing;
  const text = typeof connection === "string" ? connection : connection.join(",");
  return new Set(text.split(",").map((name) => name.trim().toLowerCase()));
};

const isLength = /^\d{1,15}$/;

/** Names and values in turn, as undici takes them without looking twice. */
export const requestLines = ({ headers, drop = nothing, add }: RequestHead, streams: boolean): string[] => {
  const lines: string[] = [];
  for (const name in add) {
    const value = add[name];
    const lower = name.toLowerCase();
    if (value !== undefined && !ours.has(lower)) lines.push(lower, value);
  }
  const added = lines.length;
  const isAdded = (name: string): boolean => {
    for (let index = 0; index < added; index += 2) if (lines[index] === name) return true;
    return false;
  };
  const nominated = nominatedBy(headers?.["connection"]);
  for (const name in headers) {
    if (ours.has(name) || drop.has(name) || nominated.has(name) || isAdded(name)) continue;
    const value = headers[name];
    if (typeof value === "string") lines.push(name, value);
    else for (const one of value ?? []) lines.push(name, one);
  }
  const length = headers?.["content-length"];
  // Without it, the body of a stream is sent in chunks.
  if (streams && typeof length === "string" && isLength.test(length)) lines.push("content-length", length);
  return lines;
};

const alwaysSensitive = ["authorization", "cookie"];

/** What is left for another origin than the one that credentials were meant for. */
export const withoutSensitive = (lines: readonly string[], sensitive: readonly string[]): string[] => {
  const names = new Set([...alwaysSensitive, ...sensitive.map((name) => name.toLowerCase())]);
  return lines.filter((_, index) => !names.has(lines[index - (index % 2)] ?? ""));
};

/** The head of an answer as it may go on: a new object, for its receiver to change. */
export const answerHeaders = (headers: HeadersIn): HeadersOut => {
  const kept: HeadersOut = {};
  const nominated = nominatedBy(headers["connection"]);
  for (const name in headers) {
    if (hopByHop.has(name) || nominated.has(name)) continue;
    const value = headers[name];
    if (value !== undefined) kept[name] = typeof value === "string" ? value : [...value];
  }
  return kept;
};
