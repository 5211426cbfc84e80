import type { ServerResponse } from "node:http";
import { second } from "../../kernel/clock.ts";
import type { HeadersOut } from "../../kernel/outbound/headers.ts";
import { waitOf } from "../catalogue/answer-headers.ts";
import type { Provider } from "../catalogue/model/provider.ts";
import type { Asked } from "./asked.ts";

/** When a call is made again. */

/** Together, between all tries of a call. */
const longestWaitMs = 60 * second;
const firstWaitMs = 3 * second;

/** How often a call was tried, and how long it waited. */
export type Tried = { readonly times: number; readonly waitedMs: number };

export const notTried: Tried = { times: 0, waitedMs: 0 };

const isToRepeat = (provider: Provider, { retryOn }: Pick<Asked, "retryOn">, status: number): boolean => {
  // Wrong credentials that are tried again and again get an account locked.
  if (status === 401) return false;
  const { statuses } = provider.retry;
  return (statuses ? statuses.includes(status) : status === 429 || status >= 500) || retryOn.has(status);
};

const within = (waitMs: number, { waitedMs }: Tried): number | undefined =>
  waitedMs + waitMs <= longestWaitMs ? waitMs : undefined;

const usualWait = ({ times }: Tried): number => firstWaitMs * 2 ** times;

/** Milliseconds until the next try after no answer at all; undefined when there is none. */
export const waitAfterFault = ({ retries }: Asked, tried: Tried): number | undefined =>
  tried.times < retries ? within(usualWait(tried), tried) : undefined;

/** Milliseconds until the next try; undefined when this answer is the one that goes back. */
export const waitAfter = (
  { provider, asked, now }: { readonly provider: Provider; readonly asked: Asked; readonly now: number },
  tried: Tried,
  answer: { readonly status: number; readonly headers: HeadersOut },
): number | undefined => {
  if (tried.times >= asked.retries || !isToRepeat(provider, asked, answer.status)) return undefined;
  const seconds = waitOf(provider, answer.headers, now);
  return within(seconds === undefined ? usualWait(tried) : seconds * second, tried);
};

/** False when the client left meanwhile. */
export const waitUnlessLeft = (waitMs: number, response: ServerResponse): Promise<boolean> =>
  new Promise((resolve) => {
    if (response.destroyed) {
      resolve(false);
      return;
    }
    const leave = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      response.off("close", leave);
      resolve(true);
    }, waitMs);
    response.once("close", leave);
  });
