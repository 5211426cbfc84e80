/**
 * Work that waits in the store until it is done. A process claims a piece of it under a lease, so that no other process
 * takes the same piece, and a lease that ran out tells that its process died. Mails, webhooks and jobs are such work.
 */
import { setTimeout as wait } from "node:timers/promises";

export type Due = {
  readonly id: string;
  /** What it must not take all the lanes of: a receiver, a host. */
  readonly key: string;
};

export type LeasedWork<Piece> = {
  /**
   * What is due and nobody holds, the longest due first; nothing of a key that is full. Reads a bounded number of rows,
   * however many wait. It is asked until it finds nothing, or the lanes are taken.
   */
  readonly due: (isFull: (key: string) => boolean) => Promise<readonly Due[]>;
  /** Takes the lease. Undefined when another process was faster. */
  readonly claim: (id: string) => Promise<Piece | undefined>;
  /** Does it, and writes down what came of it. When it throws, the lease is left to run out. */
  readonly attempt: (piece: Piece) => Promise<void>;
  /** @param id of the piece, when it was one of them that failed and not the look for them */
  readonly onFault: (error: unknown, id?: string) => void;
  /** How many pieces this process works on at once. */
  readonly lanes: number;
  /** How many of these may be of one key. */
  readonly lanesOfKey: number;
  /** Milliseconds between looks for retries, and for what a process that died had begun. */
  readonly lookEveryMs: number;
};

export type Worker = {
  /** Looks for work as soon as possible. Before `start` it does nothing. */
  readonly wake: () => void;
  readonly start: () => void;
  /**
   * For good: nothing more is begun. Resolves when the attempts that have begun are over.
   *
   * @param withinMs resolves after this time all the same; what still runs then is done again when its lease has run out
   */
  readonly stop: (withinMs?: number) => Promise<void>;
  /** Does what is due now, and resolves when that is over. Never rejects: what fails is told, and due again later. */
  readonly runDue: () => Promise<void>;
};

/** Milliseconds to wait behind an attempt, of which the first is 1. Undefined: it was the last one. */
export type Backoff = (attempt: number) => number | undefined;

/** @param thenEvery for the attempts behind the steps; without it there are none */
export const backoff =
  (steps: readonly number[], thenEvery?: number): Backoff =>
  (attempt) =>
    steps[attempt - 1] ?? thenEvery;

type Flight = { readonly key: string; readonly landed: Promise<void> };

export const createWorker = <Piece>(work: LeasedWork<Piece>): Worker => {
  const flights = new Map<string, Flight>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let again = false;
  let looking: Promise<void> | undefined;

  const isFull = (key: string): boolean =>
    [...flights.values()].filter((flight) => flight.key === key).length >= work.lanesOfKey;

  const fly = async (id: string, piece: Piece): Promise<void> => {
    await work.attempt(piece).catch((error: unknown) => work.onFault(error, id));
    flights.delete(id);
    look();
  };

  const begin = ({ id, key }: Due, piece: Piece): void => {
    const { promise: landed, resolve } = Promise.withResolvers<void>();
    flights.set(id, { key, landed });
    void fly(id, piece).then(resolve);
  };

  const hasRoom = (): boolean => !stopped && flights.size < work.lanes;

  const takeUp = async (): Promise<void> => {
    while (hasRoom()) {
      const found = await work.due(isFull);
      if (found.length === 0) return;
      for (const due of found) {
        if (!hasRoom()) return;
        if (isFull(due.key)) continue;
        const piece = await work.claim(due.id);
        if (piece !== undefined) begin(due, piece);
      }
    }
  };

  const looks = async (): Promise<void> => {
    while (again && !stopped) {
      again = false;
      await takeUp().catch((error: unknown) => work.onFault(error));
    }
    looking = undefined;
  };

  /** One look at a time; who asks during one gets another behind it. */
  const look = (): void => {
    if (stopped) return;
    again = true;
    looking ??= looks();
  };

  const settled = async (): Promise<void> => {
    while (looking || flights.size > 0) {
      await looking;
      await Promise.all([...flights.values()].map(({ landed }) => landed));
    }
  };

  return {
    wake: () => {
      if (timer) look();
    },
    start: () => {
      timer = setInterval(look, work.lookEveryMs);
      timer.unref();
      look();
    },
    stop: async (withinMs) => {
      stopped = true;
      clearInterval(timer);
      const over = withinMs === undefined ? [] : [wait(withinMs, undefined, { ref: false })];
      await Promise.race([settled(), ...over]);
    },
    runDue: async () => {
      look();
      await settled();
    },
  };
};
