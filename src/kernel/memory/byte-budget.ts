import { second, type Clock } from "../clock.ts";

/** What one body, or whatever else fills up bit by bit, holds of a budget. */
export type Share = {
  /** False when there is no room: nothing was taken then. */
  readonly grow: (bytes: number) => boolean;
  /** Gives everything back. Any number of times; what was given back can't grow any more. */
  readonly free: () => void;
};

/** Memory that everybody of a process fills together. */
export type ByteBudget = {
  /**
   * @param onCrowdedOut called when others need the room of a share that has been there for long. It is free by then.
   * Left out, the share stays until it is given back.
   */
  readonly open: (onCrowdedOut?: () => void) => Share;
};

type BudgetDeps = {
  readonly clock: Clock;
  /** 64 MiB unless said. */
  readonly mostBytes?: number | undefined;
};

const mebibyte = 1024 * 1024;

/** What comes as fast as its line can carry it is over by then. */
const patienceMs = second;

class HeldShare implements Share {
  readonly since: number;
  readonly onCrowdedOut: (() => void) | undefined;
  readonly #budget: Budget;
  #bytes = 0;
  #isOver = false;

  constructor(budget: Budget, since: number, onCrowdedOut: (() => void) | undefined) {
    this.#budget = budget;
    this.since = since;
    this.onCrowdedOut = onCrowdedOut;
  }

  grow(bytes: number): boolean {
    if (this.#isOver || !this.#budget.take(this, bytes)) return false;
    this.#bytes += bytes;
    return true;
  }

  free(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#budget.giveBack(this, this.#bytes);
  }
}

class Budget implements ByteBudget {
  readonly #clock: Clock;
  readonly #mostBytes: number;
  /** The oldest first. Those that may be crowded out. */
  readonly #holders = new Set<HeldShare>();
  #taken = 0;

  constructor({ clock, mostBytes = 64 * mebibyte }: BudgetDeps) {
    this.#clock = clock;
    this.#mostBytes = mostBytes;
  }

  open(onCrowdedOut?: () => void): Share {
    return new HeldShare(this, this.#clock.now(), onCrowdedOut);
  }

  take(share: HeldShare, bytes: number): boolean {
    if (this.#taken + bytes > this.#mostBytes) this.#crowdOut(share, bytes);
    if (this.#taken + bytes > this.#mostBytes) return false;
    this.#taken += bytes;
    if (share.onCrowdedOut) this.#holders.add(share);
    return true;
  }

  giveBack(share: HeldShare, bytes: number): void {
    this.#taken -= bytes;
    this.#holders.delete(share);
  }

  /** Else whoever never ends would keep everybody else from beginning. */
  #crowdOut(asking: HeldShare, bytes: number): void {
    const longAgo = this.#clock.now() - patienceMs;
    for (const holder of this.#holders) {
      if (holder.since > longAgo || this.#taken + bytes <= this.#mostBytes) return;
      if (holder === asking) continue;
      holder.free();
      holder.onCrowdedOut?.();
    }
  }
}

export const createByteBudget = (deps: BudgetDeps): ByteBudget => new Budget(deps);
