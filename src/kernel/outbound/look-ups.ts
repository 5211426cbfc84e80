/** Looks names up for many, so that a name that takes its time holds up nobody but those who asked for it. */

import { LRUCache } from "lru-cache";
import { second, type Clock } from "../clock.ts";
import { atMost } from "../at-most.ts";

/** Every address of a host name; rejects when it has none. The work ends when it is aborted, as far as it can. */
export type Resolve = (host: string, signal: AbortSignal) => Promise<readonly string[]>;

/** Whom a name is looked up for. A member has one look-up at a time, a group half of all that there may be. */
export type Asker = { readonly group: string; readonly member: string };

export type LookUpOptions = {
  /** Each name for itself unless said. */
  readonly asker?: Asker | undefined;
  /** Aborted when the answer is not wanted any more. A look-up that nobody waits for is ended. */
  readonly signal?: AbortSignal | undefined;
};

/** Rejects with a `LookUpFault`, with what the name servers said, or with the reason of the signal. */
export type LookUp = (host: string, options?: LookUpOptions) => Promise<readonly string[]>;

export type LookUpFaultCode = "ETIMEOUT" | "EBUSY";

export class LookUpFault extends Error {
  readonly code: LookUpFaultCode;

  constructor(code: LookUpFaultCode) {
    super(code === "ETIMEOUT" ? "No name server said in time." : "Too many names wait to be looked up.");
    this.name = "LookUpFault";
    this.code = code;
  }
}

const longestMs = 5 * second;
/** So long a name that led nowhere is not asked for again. */
const failedMs = 5 * second;
const mostFailed = 1000;
const mostWaiting = 512;
const mostWaitingOfMember = 32;

type Waiter = {
  readonly host: string;
  readonly asker: Asker;
  readonly answer: PromiseWithResolvers<readonly string[]>;
};

/** A look-up that takes up one of the places. */
type Running = {
  readonly host: string;
  readonly asker: Asker;
  readonly work: AbortController;
  readonly waiters: Set<Waiter>;
};

type Failure = { readonly error: unknown; readonly until: number };

const isSame = (one: Asker, other: Asker): boolean =>
  one.group === other.group && one.member === other.member;

export type LookUpDeps = {
  readonly ask: Resolve;
  /** Places: look-ups that run at the same time. */
  readonly atOnce: number;
  readonly clock: Clock;
};

export const createLookUps = ({ ask, atOnce, clock }: LookUpDeps): LookUp => {
  const failures = new LRUCache<string, Failure>(atMost(mostFailed));
  const running = new Set<Running>();
  const waiting = new Set<Waiter>();

  const ofGroup = (list: Iterable<{ readonly asker: Asker }>, { group }: Asker): number =>
    [...list].filter(({ asker }) => asker.group === group).length;

  const refuseFull = ({ asker }: Waiter): void => {
    const ofMember = [...waiting].filter((other) => isSame(other.asker, asker)).length;
    if (
      waiting.size >= mostWaiting ||
      ofMember >= mostWaitingOfMember ||
      ofGroup(waiting, asker) >= mostWaiting / 2
    ) {
      throw new LookUpFault("EBUSY");
    }
  };

  /** The first one of the group that has the fewest places. */
  const nextInTurn = (): Waiter | undefined => {
    let next: Waiter | undefined;
    let fewest = Math.ceil(atOnce / 2);
    const counts = new Map<string, number>();
    for (const { asker } of running) counts.set(asker.group, (counts.get(asker.group) ?? 0) + 1);
    for (const waiter of waiting) {
      const count = counts.get(waiter.asker.group) ?? 0;
      if (count >= fewest || [...running].some(({ asker }) => isSame(asker, waiter.asker))) continue;
      next = waiter;
      fewest = count;
    }
    return next;
  };

  const startNext = (): void => {
    while (running.size < atOnce) {
      const next = nextInTurn();
      if (!next) return;
      start(next);
    }
  };

  const fail = ({ host, waiters }: Running, error: unknown): void => {
    failures.set(host, { error, until: clock.now() + failedMs });
    for (const { answer } of waiters) answer.reject(error);
    waiters.clear();
  };

  const start = ({ host, asker }: Waiter): void => {
    const run: Running = { host, asker, work: new AbortController(), waiters: new Set() };
    for (const waiter of waiting) {
      if (waiter.host !== host) continue;
      waiting.delete(waiter);
      run.waiters.add(waiter);
    }
    running.add(run);
    const timer = setTimeout(() => {
      fail(run, new LookUpFault("ETIMEOUT"));
      run.work.abort();
    }, longestMs);
    ask(host, run.work.signal)
      .then(
        (addresses) => run.waiters.forEach(({ answer }) => answer.resolve(addresses)),
        // What was ended says nothing about the name.
        (error: unknown) => run.work.signal.aborted || fail(run, error),
      )
      .finally(() => {
        clearTimeout(timer);
        // Not before: what can't be ended keeps its place.
        running.delete(run);
        startNext();
      });
  };

  const leave = (waiter: Waiter): void => {
    waiting.delete(waiter);
    for (const { waiters, work } of running) {
      if (waiters.delete(waiter) && waiters.size === 0) work.abort();
    }
  };

  const enter = (waiter: Waiter): void => {
    const same = [...running].find(({ host, work }) => host === waiter.host && !work.signal.aborted);
    if (same) {
      same.waiters.add(waiter);
      return;
    }
    refuseFull(waiter);
    waiting.add(waiter);
    startNext();
  };

  return async (host, { asker = { group: `name ${host}`, member: host }, signal } = {}) => {
    signal?.throwIfAborted();
    const failure = failures.get(host);
    if (failure && clock.now() < failure.until) throw failure.error;
    const answer = Promise.withResolvers<readonly string[]>();
    const waiter: Waiter = { host, asker, answer };
    const onAbort = (): void => {
      leave(waiter);
      answer.reject(signal?.reason);
    };
    enter(waiter);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      return await answer.promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  };
};
