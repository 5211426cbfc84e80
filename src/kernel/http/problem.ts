import { errorCodes } from "fastify";
import { isStoreOutage } from "../db/outage.ts";
import { Refusal, refusals } from "../errors.ts";
import { jsonType, type Wire } from "./route.ts";

/** Turns whatever was thrown into the one refusal that is told. Unknown things become `internal`. */
export const refusalOf = (thrown: unknown): Refusal => {
  if (thrown instanceof Refusal) return thrown;
  if (isStoreOutage(thrown)) return new Refusal("store_unavailable", { retryAfter: 1, cause: thrown });
  if (thrown instanceof errorCodes.FST_ERR_CTP_BODY_TOO_LARGE) return new Refusal("body_too_large");
  if (thrown instanceof errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE)
    return new Refusal("content_type_unsupported");
  if (thrown instanceof Error && "statusCode" in thrown && thrown.statusCode === 400) {
    return new Refusal("request_malformed", { cause: thrown });
  }
  return new Refusal("internal", { cause: thrown });
};

/** What a refusal says, in the voice of the wire. */
export const sentenceOf = (refusal: Refusal, wire: Wire): string => {
  if (refusal.text !== undefined) return refusal.text;
  if (refusal.issues.length > 0) return refusal.issues.map((issue) => issue.message).join("; ");
  const row = refusals[refusal.code];
  return wire === "track" && "track" in row ? row.track : row.text;
};

/** What both SDKs of the Connect wire read: always a code and a message (contract nango §1.2, §1.11). */
const connectError = ({ code, issues, payload }: Refusal, message: string): object => {
  const row = refusals[code];
  const errors = issues.map(({ field, rule, message: said }) => ({
    code: rule,
    message: said,
    path: field === "" ? [] : field.split("."),
  }));
  return {
    error: {
      code: "connect" in row ? row.connect : code,
      message,
      ...(errors.length > 0 ? { errors } : {}),
      ...(payload === undefined ? {} : { payload }),
    },
  };
};

const problemType = "application/problem+json";

/**
 * The body of a refusal: a JSON string literal as both wires have it, or for those who ask a problem
 * document (RFC 9457) with a stable code. Missing credentials on the Track wire have no body at all.
 */
export const refusalBody = (
  refusal: Refusal,
  wire: Wire,
  { accept, requestId }: { readonly accept: string; readonly requestId: string },
): { readonly type: string; readonly body: string } | undefined => {
  const sentence = sentenceOf(refusal, wire);
  if (wire === "connect") return { type: jsonType, body: JSON.stringify(connectError(refusal, sentence)) };
  if (accept.toLowerCase().includes(problemType)) {
    const problem = {
      type: `urn:latchkey:problem:${refusal.code}`,
      title: refusals[refusal.code].text,
      status: refusal.status,
      detail: sentence,
      code: refusal.code,
      instance: `urn:latchkey:request:${requestId}`,
      ...(refusal.issues.length > 0 ? { errors: refusal.issues } : {}),
    };
    return { type: `${problemType}; charset=utf-8`, body: JSON.stringify(problem) };
  }
  if (refusal.code === "credentials_missing") return undefined;
  return { type: jsonType, body: JSON.stringify(sentence) };
};

export const refusalHeaders = (refusal: Refusal): Record<string, string> => ({
  ...(refusal.code === "credentials_missing" ? { "x-authorization-missing": "true" } : {}),
  ...(refusal.retryAfter === undefined ? {} : { "retry-after": String(refusal.retryAfter) }),
  ...refusal.headers,
});
