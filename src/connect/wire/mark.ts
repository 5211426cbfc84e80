import { createHash } from "node:crypto";

/** Marks of providers. Their logos are their own; ours are the initials on a colour that is always the same for a name. */

/** Dark enough for white letters (4.5:1). */
const colours = ["#2f5bea", "#0b7285", "#2b7a3d", "#8a5300", "#a61e4d", "#6741d9", "#9c36b5", "#495057"];

const initialsOf = (name: string): string => {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "");
  const letters = words.length > 1 ? words.slice(0, 2).map((word) => word.slice(0, 1)) : [name.slice(0, 2)];
  return letters
    .join("")
    .toUpperCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, "");
};

export type Mark = { readonly initials: string; readonly colour: string };

export const markOf = (name: string): Mark => {
  const [byte = 0] = createHash("sha256").update(name).digest();
  return { initials: initialsOf(name), colour: colours[byte % colours.length] ?? "#495057" };
};
