import { Refused, type Issue } from "../api.ts";
import { enConnect as texts } from "../texts/en-connect.ts";

/** What came of a try, for a person: what happened, why, and what to do next. */
export type Outcome = {
  /** Undefined when everything that is wrong stands beside a field. */
  readonly title: string | undefined;
  readonly told: readonly string[];
  /** It says nothing about what was typed. */
  readonly isTheirs: boolean;
  /** By the names of fields that the form has. */
  readonly fields: Readonly<Record<string, string>>;
  /** Whole seconds to wait. */
  readonly wait: number | undefined;
  /** For the page around the form. */
  readonly code: string;
  readonly message: string;
};

type Asked = {
  /** The fields that the form has: what is wrong with others is told for the whole. */
  readonly names: readonly string[];
  /** Something of where the provider is found is asked for, and not only credentials. */
  readonly hasAddress: boolean;
};

type Known = keyof typeof texts.outcomes;
const isKnown = (code: string): code is Known => Object.hasOwn(texts.outcomes, code);

/** What somebody typed is what these are about. */
const aboutTyped: ReadonlySet<Known> = new Set([
  "connection_test_failed",
  "token_not_available",
  "invalid_body",
  "address_refused",
  "link_used_up",
]);

/** Where the sentence of the provider's file, or the server's own, says more than ours. */
const ownWords: ReadonlySet<Known> = new Set([
  "connection_test_failed",
  "provider_quota",
  "provider_rate_limited",
  "provider_unavailable",
  "unexpected_answer",
  "unexpected_at_address",
  "other",
]);

/** What the provider's file says of it. What the server says by itself is said here in better words. */
const saysOfProvider = ({ message }: Refused): string | undefined =>
  /^The provider\b/.test(message) ? undefined : message;

const asSentence = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`);

/** Somebody pasted a whole page: a number of characters is no help with that. */
const sentenceOf = ({ rule, message }: Issue): string =>
  rule === "too_big" ? texts.tooLong : asSentence(message);

/** Which texts a refusal has. */
const kindOf = (refused: Refused | undefined, { hasAddress }: Asked): Known => {
  if (!refused) return "unreachable";
  const { code, retryAfter } = refused;
  // The tries of a link are used up for good; those of a network come back.
  if (code === "too_many_request") return retryAfter === undefined ? "link_used_up" : code;
  if (code === "address_refused") return hasAddress ? code : "server_refused";
  if (code === "unexpected_answer") return hasAddress ? "unexpected_at_address" : code;
  return isKnown(code) ? code : "other";
};

export const outcomeOf = (error: unknown, provider: string, asked: Asked): Outcome => {
  const refused = error instanceof Refused ? error : undefined;
  const kind = kindOf(refused, asked);
  const { title, text } = texts.outcomes[kind];
  const issues = refused?.issues ?? [];
  const beside = issues.filter(({ field }) => asked.names.includes(field));
  const others = issues.filter(({ field }) => !asked.names.includes(field));
  const own = refused && (kind === "other" ? refused.message : saysOfProvider(refused));
  const told =
    issues.length > 0
      ? others.map(sentenceOf)
      : [
          own !== undefined && ownWords.has(kind) ? own : text,
          // Of no use any more where the link is not.
          ...(kind === "link_used_up" ? [] : [texts.stillHere]),
        ];
  return {
    title: issues.length > 0 && others.length === 0 ? undefined : title(provider),
    told: told.map(asSentence),
    isTheirs: !aboutTyped.has(kind),
    fields: Object.fromEntries(beside.map((issue) => [issue.field, sentenceOf(issue)])),
    wait: refused?.retryAfter,
    code: refused?.code ?? kind,
    message: refused?.message ?? title(provider),
  };
};

const ends: Readonly<Record<string, "finished" | "unknown" | "origin">> = {
  connect_session_finished: "finished",
  unknown_connect_session_token: "unknown",
  invalid_connect_session_token_format: "unknown",
  // The connection to link anew was deleted: there is nothing for this link to do.
  invalid_connection: "unknown",
  origin_not_allowed: "origin",
};

/** Whether the link itself is at its end, and nothing can be sent with it any more. */
export const endOfLink = (error: unknown): "finished" | "unknown" | "origin" | undefined =>
  error instanceof Refused ? ends[error.code] : undefined;
