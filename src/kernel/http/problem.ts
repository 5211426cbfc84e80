import { errorCodes } from "fastify";
import { isStoreOutage } from "../db/outage.ts";
import { Refusal, refusals } from "../errors.ts";

/** Turns whatever was thrown into the one refusal that is told. Unknown things become `internal`. */
export const refusalOf = (thrown: unknown): Refusal => {
  if (thrown instanceof Refusal) return thrown;
  if (isStoreOutage(thrown)) return new Refusal(refusals.store_unavailable, { retryAfter: 1, cause: thrown });
  if (thrown instanceof errorCodes.FST_ERR_CTP_BODY_TOO_LARGE) return new Refusal(refusals.body_too_large);
  if (thrown instanceof errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE)
    return new Refusal(refusals.content_type_unsupported);
  if (thrown instanceof Error && "statusCode" in thrown && thrown.statusCode === 400) {
    return new Refusal(refusals.request_malformed, { cause: thrown });
  }
  return new Refusal(refusals.internal, { cause: thrown });
};

export const refusalHeaders = ({ retryAfter, headers }: Refusal): Record<string, string> => ({
  ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }),
  ...headers,
});
