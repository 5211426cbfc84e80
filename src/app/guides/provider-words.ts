import type { Field, Provider, Shape } from "#connect";

/** What a provider's page calls things. */

/** Without what tells two entries of the catalogue apart: people have an account at GitLab, not at "GitLab (token)". */
export const nameOf = ({ display_name: name }: Pick<Provider, "display_name">): string =>
  name.replace(/\s*\([^)]*\)$/, "");

/** A title within a sentence: `e-mail and password`, but `API token`. */
export const inText = (title: string): string =>
  /^\p{Lu}[\p{Ll}-]/u.test(title) ? title.slice(0, 1).toLowerCase() + title.slice(1) : title;

export const recommendedFirst = ({ shapes }: Pick<Provider, "shapes">): readonly Shape[] =>
  shapes.toSorted((a, b) => Number(b.recommended) - Number(a.recommended));

/** `a, b and c` */
export const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;

const shownIn = (fields: Readonly<Record<string, Field>>): readonly Field[] =>
  Object.values(fields).filter(({ hidden }) => !hidden);

const byOrder = (one: Field, other: Field): number => (one.order ?? 0) - (other.order ?? 0);

/** What a person fills in, in the order of the form. */
export const asked = (
  { connection_config: config }: Pick<Provider, "connection_config">,
  { fields }: Shape,
): readonly Field[] => [
  ...shownIn(config)
    .filter(({ order }) => order !== undefined)
    .toSorted(byOrder),
  ...shownIn(fields).toSorted(byOrder),
  ...shownIn(config).filter(({ order }) => order === undefined),
];
