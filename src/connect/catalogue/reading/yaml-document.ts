import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
} from "yaml";

/** YAML with its places, so that a fault can be told where it is. */

export type Spot = { readonly line: number; readonly column: number };
export type SpottedFault = Spot & { readonly message: string };
type Path = readonly PropertyKey[];

export type YamlDocument = {
  readonly value: unknown;
  /** Of the value at a path, or of its key; of the nearest thing above when that is not there. */
  readonly spotOf: (path: Path, part: "key" | "value") => Spot;
};

type Places = { readonly key: number; readonly value: number };

const startOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined);

const placesOf = (document: Document, path: Path): Places => {
  let node: unknown = document.contents;
  let places: Places = { key: startOf(node) ?? 0, value: startOf(node) ?? 0 };
  for (const name of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(name));
      if (pair === undefined) return { key: places.key, value: places.key };
      const key = startOf(pair.key) ?? places.value;
      places = { key, value: startOf(pair.value) ?? key };
      node = pair.value;
    } else if (isSeq(node)) {
      const item = node.items[Number(name)];
      const start = startOf(item);
      if (start === undefined) return places;
      places = { key: start, value: start };
      node = item;
    } else return places;
  }
  return places;
};

/** @returns the faults instead when it is not one plain YAML 1.2 document */
export const readYaml = (text: string): YamlDocument | readonly SpottedFault[] => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "error" });
  const spot = (offset: number): Spot => {
    const { line, col } = lines.linePos(Math.min(offset, text.length));
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const faults: SpottedFault[] = [...document.errors, ...document.warnings].map(({ pos, message }) => ({
    ...spot(pos[0]),
    message: `is not YAML: ${message}`,
  }));
  // One place would have several paths, and a short file could become a long one.
  visit(document, (_, node) => {
    if (isAlias(node) || (isNode(node) && "anchor" in node && node.anchor !== undefined)) {
      faults.push({
        ...spot(node.range?.[0] ?? 0),
        message: "has an anchor or an alias: write it out instead",
      });
    }
  });
  if (faults.length > 0) return faults;
  return {
    value: document.toJS(),
    spotOf: (path, part) => spot(placesOf(document, path)[part]),
  };
};
