import { LRUCache } from "lru-cache";
import { minute, type Clock } from "../clock.ts";
import { networksAround } from "../text/ip-address.ts";

/** Rows that are begun in a minute, of all networks together: whoever has many is not to fill a disk. */
const mostRows = 1000;

type Row = { readonly id: number; readonly since: number };

/**
 * Refusals that concern no account can be caused at will. A minute's refusals of one kind and network are one row, in
 * which they are counted: here is which row that is. Each process has rows of its own.
 */
export type RefusalsOfNobody = {
  /**
   * @param kind what is counted together
   * @param network of the client; those of one IPv6 /48 are one
   */
  place(
    kind: string,
    network: string,
  ): {
    /** The row that was begun less than a minute ago. */
    readonly row: Row | undefined;
    /** A row has been begun there. */
    begun(id: number): void;
  };
};

export const createRefusalsOfNobody = (clock: Clock): RefusalsOfNobody => {
  const rows = new LRUCache<string, Row>({ max: 2 * mostRows });
  let minuteBegan = Number.NEGATIVE_INFINITY;
  let begunInMinute = 0;

  const isCrowded = (now: number): boolean => {
    if (now - minuteBegan >= minute || now < minuteBegan) {
      minuteBegan = now;
      begunInMinute = 0;
    }
    return begunInMinute >= mostRows;
  };

  const current = (key: string, now: number): Row | undefined => {
    const row = rows.get(key);
    return row && now >= row.since && now - row.since < minute ? row : undefined;
  };

  return {
    place: (kind, network) => {
      const now = clock.now();
      const own = `${kind} ${networksAround(network).at(-1)?.network ?? network}`;
      const key = current(own, now) === undefined && isCrowded(now) ? kind : own;
      return {
        row: current(key, now),
        begun: (id) => {
          begunInMinute += 1;
          rows.set(key, { id, since: now });
        },
      };
    },
  };
};
