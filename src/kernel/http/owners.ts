import type { Route } from "./route.ts";
import type { Wire } from "./wire.ts";

export type Owners = {
  readonly wires: ReadonlySet<Wire>;
  /** Whose a path is, whether a row has it or not. @param url as it was sent */
  readonly ownerOf: (url: string) => Wire | undefined;
};

const firstSegment = (path: string): string => path.split("/", 2).join("/");

/** `/a` begins `/a/b` and `/a?b`, but not `/ab`; what ends with a slash begins only what is behind it. */
const begins = (url: string, root: string): boolean =>
  url.startsWith(root) && (root.endsWith("/") || /^([/?]|$)/.test(url.slice(root.length)));

/** Which wire is at home where. */
export const ownersOf = (rows: readonly Route[]): Owners => {
  const wires = new Set(rows.map(({ wire }) => wire));
  const roots = [...wires]
    .flatMap((wire) => {
      const given =
        wire.roots ?? rows.filter((row) => row.wire === wire).map(({ path }) => firstSegment(path));
      return [...new Set(given)].map((root) => ({ root, wire }));
    })
    .toSorted((one, other) => other.root.length - one.root.length);
  return { wires, ownerOf: (url) => roots.find(({ root }) => begins(url, root))?.wire };
};
