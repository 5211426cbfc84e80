import type { Field, Provider, Shape } from "#connect";
import type { GuidePage } from "./page.ts";
import { asked, inText, listed, nameOf, recommendedFirst } from "./provider-words.ts";
import { afterwards } from "./provider-facts.ts";

/**
 * A provider's page, made of its file. Who reads it is in the middle of linking an account and has never heard of Basic
 * authentication: the recommended way comes first, in numbered steps; what a developer looks for comes last.
 */

type HasPicture = (file: string) => boolean;

type Section = Provider["guide"][number];
type Picture = NonNullable<Section["picture"]>;

const pictureLine = (picture: Picture | undefined, has: HasPicture): readonly string[] =>
  picture !== undefined && has(picture.file) ? [`![${picture.alt}](/docs/pictures/${picture.file})`] : [];

const looksLike = ({ example, looks_like: words, format }: Field): string => {
  if (format === "email") return "";
  if (example === undefined) return words === undefined ? "" : `It should be ${words}.`;
  return `It looks like \`${example}\`${words === undefined ? "" : `: ${words}`}.`;
};

const explained = (title: string, description: string | undefined): string =>
  description === undefined ? `Fill in **${title}**.` : `Fill in **${title}**: ${inText(description)}`;

/** What was copied a moment ago is pasted; anything else is explained. */
const stepOf = (field: Field): string => {
  const { title, description, example, prefix = "", suffix = "", enum: values, default: standard } = field;
  if (values !== undefined) {
    return `Choose **${title}**, ${values.map((value) => `\`${value}\``).join(" or ")}. ${description ?? ""}`;
  }
  if (standard !== undefined && standard !== "") {
    return `**${title}** is \`${standard}\` already. ${description ?? ""}`;
  }
  if (example !== undefined && prefix + suffix !== "") {
    const whole = prefix + example + suffix;
    return `Fill in **${title}**: of \`${whole}\` it is \`${example}\`. You may also paste the whole address.`;
  }
  const isCopied = field.secret && !field.keep_blanks;
  const start = isCopied ? `Paste what you have copied into **${title}**.` : explained(title, description);
  return `${start} ${looksLike(field)}`;
};

const enteringOf = (field: Field): string =>
  stepOf(field).trim() + (field.optional ? " You may leave it empty." : "");

const entering = (provider: Provider, shape: Shape): readonly string[] => {
  const name = nameOf(provider);
  return [
    `Go back to the form that asks for your ${name} account.`,
    ...(provider.shapes.length > 1 ? [`Choose **${shape.title}**.`] : []),
    ...asked(provider, shape).map(enteringOf),
    `Press **Link ${provider.display_name}**. What you entered is checked right away, and the form says whose account is linked. Check that it is yours.`,
  ].map((step, index) => `${index + 1}. ${step}`);
};

/** Sections by the fields that lead to them, in the order in which the form asks. */
const sectionsOf = (provider: Provider, shape: Shape): readonly Section[] => {
  const anchors = new Set(asked(provider, shape).map((field) => field.doc_section?.slice(1)));
  return [...anchors].flatMap((anchor) => provider.guide.find((section) => section.anchor === anchor) ?? []);
};

/** One way to link: where to find what is asked for, then the form. */
const wayOf = (
  provider: Provider,
  shape: Shape,
  { level, shown, has }: { readonly level: string; readonly shown: Set<string>; readonly has: HasPicture },
): readonly string[] => {
  const steps = sectionsOf(provider, shape).map(
    ({ anchor, title, text, picture }, index): readonly string[] => {
      const heading = `${level} Step ${index + 1}: ${title}`;
      // A section that belongs to two ways is told with the first; a link can lead to one place only.
      if (shown.has(anchor)) return [heading, `As above: [${title}](#${anchor}).`];
      shown.add(anchor);
      return [`${heading} {#${anchor}}`, text.trim(), ...pictureLine(picture, has)];
    },
  );
  const last = steps.length === 0 ? "Fill in the form" : `Step ${steps.length + 1}: Fill in the form`;
  return [
    ...steps.flat(),
    `${level} ${last}`,
    entering(provider, shape).join("\n"),
    ...pictureLine(shape.picture, has),
    `**You are now connected to ${nameOf(provider)}.** You can close the form. The app goes on from there.`,
  ];
};

const letters = "ABCDEFGH";
const optionId = (shape: Shape): string => `with-${shape.name.replaceAll("_", "-")}`;

const ways = (provider: Provider, has: HasPicture): readonly string[] => {
  const shapes = recommendedFirst(provider);
  const shown = new Set<string>();
  const [only] = shapes;
  if (only !== undefined && shapes.length === 1) return wayOf(provider, only, { level: "##", shown, has });
  return shapes.flatMap((shape, index) => [
    `## Option ${letters.charAt(index)}: ${shape.title}${shape.recommended ? " (recommended)" : ""} {#${optionId(shape)}}`,
    ...(shape.description === undefined ? [] : [shape.description]),
    ...wayOf(provider, shape, { level: "###", shown, has }),
  ]);
};

const lead = (provider: Provider): string => {
  const needed = `an account at ${nameOf(provider)}, and about a minute.`;
  const [first, ...others] = recommendedFirst(provider);
  if (first === undefined || others.length === 0) {
    const titles = first ? asked(provider, first).map(({ title }) => `**${title}**`) : [];
    const asks = titles.length === 0 ? "" : `The form asks for ${listed(titles)}. Here is where to find it. `;
    return `${asks}You need ${needed}`;
  }
  const link = (shape: Shape): string => `[${inText(shape.title)}](#${optionId(shape)})`;
  const count = others.length === 1 ? "two" : String(others.length + 1);
  return `There are ${count} ways: with your ${link(first)}, which we recommend, or with your ${others.map(link).join(" or your ")}. For either you need ${needed}`;
};

const summaryOf = (provider: Provider): string => {
  const titles = recommendedFirst(provider).map(({ title }) => inText(title));
  return titles.length === 0 ? "Step by step." : `By ${titles.join(", or by ")}, step by step.`;
};

/** Sections that no field leads to. */
const moreOf = ({ guide }: Provider, told: string, has: HasPicture): readonly string[] =>
  guide
    .filter(({ anchor }) => !told.includes(`{#${anchor}}`))
    .flatMap(({ anchor, title, text, picture }) => [
      `## ${title} {#${anchor}}`,
      text.trim(),
      ...pictureLine(picture, has),
    ]);

export const providerPage = (provider: Provider, has: HasPicture): GuidePage => {
  const path = `/docs/providers/${provider.name}`;
  const title = `How do I link my ${nameOf(provider)} account?`;
  const linking = ways(provider, has);
  const told = linking.join("\n\n");
  return {
    path,
    markdownPath: `${path}.md`,
    title,
    name: nameOf(provider),
    summary: summaryOf(provider),
    markdown: [
      `# ${title}`,
      lead(provider),
      ...linking,
      ...moreOf(provider, told, has),
      ...afterwards(provider),
      "",
    ].join("\n\n"),
  };
};
