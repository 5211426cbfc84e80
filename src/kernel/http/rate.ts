import { Refusal, refusals } from "../errors.ts";
import type { Bucket } from "../limits/bucket.ts";
import type { Limit } from "./route.ts";

/** One leaky bucket a credential, over all wires. */
export const ratePerCredential = (bucket: Bucket): Limit<{ readonly credential: string }> => ({
  refuses: [refusals.rate_limited],
  take: ({ credential }) => {
    const taken = bucket.take(credential);
    if (!taken.ok) throw new Refusal(refusals.rate_limited, { retryAfter: taken.retryAfterSeconds });
  },
});
