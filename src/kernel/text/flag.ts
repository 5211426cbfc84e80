/** A switch as people and programs write it. */

export const flagWords = ["true", "1", "yes", "on", "false", "0", "no", "off"] as const;

const on: ReadonlySet<string> = new Set(["true", "1", "yes", "on"]);
const off: ReadonlySet<string> = new Set(["false", "0", "no", "off"]);

/** In any case, as Python writes `True`. Undefined when it is neither. */
export const readFlag = (text: string): boolean | undefined => {
  const word = text.toLowerCase();
  return on.has(word) ? true : off.has(word) ? false : undefined;
};
