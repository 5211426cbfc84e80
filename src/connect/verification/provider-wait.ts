import { second } from "../../kernel/clock.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { Verdict } from "../catalogue/judge-answer.ts";
import type { ConnectDeps } from "../deps.ts";
import { refusals } from "../model/refusals.ts";
import { providerWait, putProviderWait } from "../store/provider-waits.ts";

/** A provider that says how long it wants to be left alone is not asked before, whoever submits, brings or checks. */

type Deps = Pick<ConnectDeps, "store" | "clock">;
/** By the origin too: who may type a host name is not to stop the integration for all others. */
type Asked = { readonly integrationId: number; readonly origin: string };

const longestSeconds = 60 * 60;

/** @throws Refusal provider_rate_limited, with the seconds that are left */
export const refuseTooSoon = async ({ store, clock }: Deps, asked: Asked): Promise<void> => {
  const now = clock.now();
  const until = await providerWait(store.query, asked, now);
  if (until === undefined) return;
  throw new Refusal(refusals.provider_rate_limited, { retryAfter: Math.ceil((until - now) / second) });
};

/** A quota is of one account, and no reason to keep others waiting. */
export const holdBack = async ({ store, clock }: Deps, asked: Asked, verdict: Verdict): Promise<void> => {
  if (verdict.outcome !== "rate_limited" && verdict.outcome !== "unavailable") return;
  const seconds = Math.min(verdict.waitSeconds ?? 0, longestSeconds);
  if (seconds > 0) await putProviderWait(store.query, { ...asked, until: clock.now() + seconds * second });
};
