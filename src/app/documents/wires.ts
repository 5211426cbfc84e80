import type { Route } from "#kernel/http/route.ts";
import type { Wire } from "#kernel/http/wire.ts";

const isAtHome = ({ roots }: Wire): boolean => roots?.length !== 0;

/** The wires of these rows; those that are at home nowhere come last. */
export const wiresOf = (rows: readonly Route[]): readonly Wire[] =>
  [...new Set(rows.map(({ wire }) => wire))].toSorted(
    (one, other) => Number(isAtHome(other)) - Number(isAtHome(one)),
  );
