import type { Clock } from "../kernel/clock.ts";
import { Refusal } from "../kernel/errors.ts";
import type { Incoming } from "../kernel/http/incoming.ts";
import type { Limit } from "../kernel/http/route.ts";
import { createQuota, type QuotaState } from "../kernel/limits/quota.ts";
import type { Caller } from "./caller.ts";
import { refusals } from "./refusals.ts";

export type Metering<Principal> = {
  /**
   * Counts a call: a leaky bucket per credential (429) and an hourly quota per account (402). Both headers
   * of the quota go on every answer, whatever comes of the call (contract §5).
   * @throws Refusal rate_limited, quota_exceeded
   */
  readonly count: Limit<Principal>;
  /**
   * The same without the refusal for want of quota: for what the owner of a stolen token does about it. Whoever
   * has the token could otherwise use up the hour and be safe in it.
   */
  readonly countOnly: Limit<Principal>;
  readonly state: (caller: Principal) => QuotaState;
};

/** On every answer of the wire (contract §5); to a caller who is not known they say what a fresh hour has. */
export const quotaHeaders = ({
  remaining,
  resetsInSeconds,
}: Pick<QuotaState, "remaining" | "resetsInSeconds">) => ({
  "x-toggl-quota-remaining": String(remaining),
  "x-toggl-quota-resets-in": String(resetsInSeconds),
});

const announce = (incoming: Incoming, state: QuotaState): void => {
  Object.assign(incoming.answerHeaders, quotaHeaders(state));
};

/** In memory, per process: it guards a machine, not a bill. */
export const createMetering = <Principal extends Caller>(deps: {
  readonly clock: Clock;
  readonly rate: Limit<Principal>;
  readonly quota: number;
}): Metering<Principal> => {
  const quota = createQuota({ clock: deps.clock, total: deps.quota });
  const keyOf = (caller: Principal): string => String(caller.account.id);

  const counted = (caller: Principal, incoming: Incoming): QuotaState => {
    try {
      deps.rate.take(caller, incoming);
    } catch (error) {
      announce(incoming, quota.peek(keyOf(caller)));
      throw error;
    }
    const state = quota.count(keyOf(caller));
    announce(incoming, state);
    return state;
  };

  return {
    state: (caller) => quota.peek(keyOf(caller)),
    countOnly: {
      refuses: deps.rate.refuses,
      take: (caller, incoming) => void counted(caller, incoming),
    },
    count: {
      refuses: [...deps.rate.refuses, refusals.quota_exceeded],
      take: (caller, incoming) => {
        const state = counted(caller, incoming);
        if (!state.exceeded) return;
        throw new Refusal(refusals.quota_exceeded, {
          text: `The hourly limit of ${deps.quota} calls is used up. It resets in ${state.resetsInSeconds} seconds.`,
          retryAfter: state.resetsInSeconds,
        });
      },
    },
  };
};
