/** Why a call to a stranger gave no answer. */

export type OutboundFaultKind =
  /** We do not call that address: nothing was sent to it. */
  | "address_refused"
  | "timeout"
  /** No connection: unknown name, closed port, no route, a certificate that is not believed. */
  | "unreachable"
  /** Connected, and then cut off, or not HTTP, or not what its head promised. */
  | "broken"
  | "too_large"
  | "too_many_redirects";

type FaultDetails = {
  /** What the system or the client calls it, such as `ECONNREFUSED`; for the log. */
  readonly code?: string | undefined;
  readonly sent?: boolean;
};

/** Its message names the host, and never the path, the query or a header: those may hold credentials. */
export class OutboundFault extends Error {
  readonly kind: OutboundFaultKind;
  readonly code: string | undefined;
  /** Whether bytes of the request may have reached the host in question. When not, any request may be repeated. */
  readonly sent: boolean;

  constructor(kind: OutboundFaultKind, sentence: string, { code, sent = false }: FaultDetails = {}) {
    super(sentence);
    this.name = "OutboundFault";
    this.kind = kind;
    this.code = code;
    this.sent = sent;
  }
}

const longestHost = 100;

/** A host is chosen by others, and may be as long as they like. */
export const hostOf = (url: URL): string => url.host.slice(0, longestHost) || `An address of ${url.protocol}`;

const lateCodes: ReadonlySet<string> = new Set([
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "ETIMEDOUT",
]);
/** What undici says of a request that nobody should have asked for: a bug of ours, and no fault of the stranger's. */
const wrongCodes: ReadonlySet<string> = new Set(["UND_ERR_INVALID_ARG", "UND_ERR_NOT_SUPPORTED"]);

const codeOf = (error: Error): string | undefined =>
  "code" in error && typeof error.code === "string" ? error.code : undefined;

/** An error of the client as a fault. Its text is not taken over: it may quote what the stranger sent. */
export const faultOf = (error: Error, url: URL, sent: boolean): Error => {
  if (error instanceof OutboundFault) return error;
  const code = codeOf(error);
  const details = { code, sent };
  if (code !== undefined && wrongCodes.has(code)) return error;
  if (code !== undefined && lateCodes.has(code)) return lateFault(url, details);
  return sent
    ? new OutboundFault("broken", `${hostOf(url)} broke off, or did not answer in HTTP.`, details)
    : new OutboundFault("unreachable", `${hostOf(url)} can't be reached.`, details);
};

export const lateFault = (url: URL, details: FaultDetails): OutboundFault =>
  new OutboundFault("timeout", `${hostOf(url)} did not answer in time.`, details);

export const largeFault = (url: URL): OutboundFault =>
  new OutboundFault("too_large", `The answer of ${hostOf(url)} is too large.`, { sent: true });

/** Of this server: too much is being read at the same time. */
export const crowdedFault = (url: URL): OutboundFault =>
  new OutboundFault(
    "broken",
    `The answer of ${hostOf(url)} was not read: too many answers come at once. Try again in a moment.`,
    { sent: true },
  );
