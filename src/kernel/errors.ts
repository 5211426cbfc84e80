/**
 * What is refused, as data: a code, a status and a sentence. A `Refusal` is an expected ending and is told to the
 * caller; any other thrown thing is a bug and becomes a 500. Here is what any server of this kind refuses; each room
 * has a table of its own.
 */

export type RefusalKind = {
  /** Never renamed: programs compare it. */
  readonly code: string;
  readonly status: number;
  /** The sentence that is told where the wire has none of its own, and the title of a problem document. */
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Status and headers say it all: there is no body, unless a problem document is asked for. */
  readonly wordless?: true;
};

type Kinds<Table> = { readonly [Code in keyof Table & string]: RefusalKind };

/** A table of refusals, by code. */
export const refusalKinds = <const Table extends Readonly<Record<string, Omit<RefusalKind, "code">>>>(
  table: Table,
): Kinds<Table> => {
  const kinds = Object.fromEntries(Object.entries(table).map(([code, row]) => [code, { code, ...row }]));
  const isWhole = (made: Readonly<Record<string, RefusalKind>>): made is Kinds<Table> =>
    Object.keys(table).every((code) => made[code]?.code === code);
  if (!isWhole(kinds)) throw new Error("A table of refusals has lost a row.");
  return kinds;
};

export const refusals = refusalKinds({
  input_invalid: { status: 400, text: "The request is not valid" },
  json_invalid: { status: 400, text: "The body is not valid JSON" },
  request_malformed: { status: 400, text: "The request is not valid HTTP" },
  encoding_invalid: { status: 400, text: "The body can't be decompressed with its Content-Encoding" },
  not_found: { status: 404, text: "Not found" },
  request_timeout: { status: 408, text: "The request took too long to arrive" },
  method_not_allowed: { status: 405, text: "This path does not know that method" },
  body_too_large: { status: 413, text: "The body is larger than this path accepts" },
  content_type_unsupported: {
    status: 415,
    text: "The body must be sent as application/json",
  },
  encoding_unsupported: { status: 415, text: "The body's Content-Encoding must be gzip, or none" },
  host_unknown: { status: 421, text: "This host name is not served here; use the configured origin" },
  cross_site: { status: 403, text: "Requests from another site can't use this session" },
  rate_limited: { status: 429, text: "Too many requests. Slow down." },
  headers_too_large: { status: 431, text: "The request's headers are too large" },
  internal: { status: 500, text: "Internal Server Error" },
  busy: { status: 503, text: "The server is busy. Try again in a moment." },
  stopping: { status: 503, text: "The server is stopping. Try again in a moment." },
  store_unavailable: { status: 503, text: "The store can't be reached. Try again in a moment." },
});

/** One thing that is wrong with an input: which field, which rule, and the sentence that says so. */
export type Issue = {
  readonly field: string;
  /** A short stable name of the broken rule, such as `required` or `too_short`. */
  readonly rule: string;
  readonly message: string;
};

/** So many faults of one input are told: of more there is something wrong that one of them shows as well. */
const mostIssues = 20;
/** Characters of a sentence: strangers' names may be as long as a body. */
const longestSentence = 1000;

/** What is told of all that is wrong. */
export const fewOf = (issues: readonly Issue[]): readonly Issue[] => {
  const told = issues.slice(0, mostIssues).map((issue) => ({
    ...issue,
    field: cut(issue.field),
    message: cut(issue.message),
  }));
  const more = issues.length - told.length;
  return more === 0 ? told : [...told, { field: "", rule: "more", message: `… and ${more} more` }];
};

const cut = (text: string): string =>
  text.length > longestSentence ? `${text.slice(0, longestSentence).toWellFormed()}…` : text;

export type RefusalDetails = {
  readonly issues?: readonly Issue[];
  /** Replaces the table's sentence, where the case has more to say. */
  readonly text?: string;
  /** Whole seconds, sent as `Retry-After`. */
  readonly retryAfter?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Facts that go with the refusal, on wires that have a place for them. */
  readonly payload?: Readonly<Record<string, unknown>>;
  /** What made it so; logged, never shown. */
  readonly cause?: unknown;
};

export class Refusal extends Error {
  readonly kind: RefusalKind;
  readonly issues: readonly Issue[];
  readonly text: string | undefined;
  readonly retryAfter: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Readonly<Record<string, unknown>> | undefined;

  constructor(kind: RefusalKind, details: RefusalDetails = {}) {
    super(details.text ?? kind.text, details.cause === undefined ? {} : { cause: details.cause });
    this.name = "Refusal";
    this.kind = kind;
    this.issues = fewOf(details.issues ?? []);
    this.text = details.text;
    this.retryAfter = details.retryAfter;
    this.headers = { ...kind.headers, ...details.headers };
    this.payload = details.payload;
  }

  get code(): string {
    return this.kind.code;
  }

  get status(): number {
    return this.kind.status;
  }
}

/** The refusal of one field of an input. */
export const invalid = (field: string, rule: string, message: string): Refusal =>
  new Refusal(refusals.input_invalid, { issues: [{ field, rule, message }] });

/** A fault of the set-up, for the operator: one sentence that says what to do. Ends the process with code 1. */
export class SetupFault extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = "SetupFault";
  }
}

/** What an error of the system or of a driver says, for a sentence to the operator. */
export const reasonOf = (error: unknown): string => {
  // Of a host with several addresses, each of which failed.
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message || error.name : String(error);
};
