import { readdirSync, readFileSync } from "node:fs";
import type { Provider } from "#connect";
import { SetupFault } from "#kernel/errors.ts";
import { placeOf, withTargets } from "./links.ts";
import type { GuidePage, GuideSection } from "./page.ts";
import { providerPage } from "./provider.ts";

/** Everything there is to read: the files of docs/, and a page for each provider of the catalogue. */

export type GuideSite = {
  readonly home: GuidePage;
  readonly sections: readonly GuideSection[];
  /** For programs that read: https://llmstxt.org */
  readonly llms: string;
};

const root = new URL("../../../", import.meta.url);

const readText = (file: string): string => {
  try {
    return readFileSync(new URL(file, root), "utf8");
  } catch (error) {
    throw new SetupFault(`The documentation can't be read: ${file}.`, error);
  }
};

const namesIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(new URL(folder, root))
      .filter((name) => name.endsWith(".md") && name !== "README.md")
      .toSorted();
  } catch (error) {
    throw new SetupFault(`The documentation can't be read: ${folder}.`, error);
  }
};

const plain = (markdown: string): string =>
  markdown
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll("**", "")
    .replaceAll(/\s+/g, " ")
    .trim();

/** Of a paragraph; what is behind a colon is left to the page. */
const firstSentence = (paragraph: string): string => /^.*?[.!?:](?=\s|$)/.exec(paragraph)?.[0] ?? paragraph;

const isText = (block: string): boolean => !/^(?:#|<!--|\||```|>|[-*] |\d{4}-\d\d-\d\d$)/.test(block);

/** The first line says what a page is called, the first sentence what it is about. */
const pageOf = (file: string, path: string, markdownPath = `${path}.md`): GuidePage => {
  const markdown = withTargets(readText(file), placeOf(file));
  const title = plain(/^# (.+)$/m.exec(markdown)?.[1] ?? path);
  const paragraph = markdown.split(/\n{2,}/).find(isText) ?? "";
  // A decision begins with its context, which is no sentence about the page.
  const summary = firstSentence(plain(paragraph).replace(/^Context\. /, "")).replace(/:$/, ".");
  return { path, markdownPath, title, name: title, summary, markdown };
};

const pagesOf = (folder: string): readonly GuidePage[] =>
  namesIn(folder).map((name) => pageOf(folder + name, `/${folder}${name.replace(/\.md$/, "")}`));

const listItem = ({ name, summary, markdownPath }: GuidePage): string =>
  `- [${name}](${markdownPath})\\\n  ${summary}`;

const list = (pages: readonly GuidePage[]): string => pages.map(listItem).join("\n");

const indexOf = (path: string, title: string, lead: string, pages: readonly GuidePage[]): GuidePage => ({
  path,
  markdownPath: `${path}/index.md`,
  title,
  name: title,
  summary: lead,
  markdown: `# ${title}\n\n${lead}\n\n${list(pages)}\n`,
});

const section = (
  path: string,
  { name, title = name, lead }: { readonly name: string; readonly title?: string; readonly lead: string },
  pages: readonly GuidePage[],
): GuideSection => ({ name, pages, index: indexOf(path, title, lead, pages) });

/** Not Markdown, and yet to be read. */
const apiLinks = [
  {
    title: "The API, to read and to try",
    path: "/docs/api",
    summary: "Every call, with its fields and answers.",
  },
  { title: "The OpenAPI document", path: "/openapi.json", summary: "The same for programs." },
];

const about =
  "Latchkey is a self-hosted server for both ends of a key: accounts and the API that their credentials open, and a vault and proxy for the accounts that people link from elsewhere.";
const wires =
  "It speaks Toggl Track's accounts API and API v9, and the wire of Nango's connections: an existing client changes the host name and works.";

/** For those who want to know more than they need. */
const optional = "/docs/decisions";

const homeOf = (sections: readonly GuideSection[]): GuidePage => {
  const parts = sections.flatMap(({ index, name, pages }, at) => [
    `## [${name}](${index.markdownPath})`,
    index.summary,
    list(index.path === optional ? [index] : pages),
    ...(at === 0
      ? ["## The API", apiLinks.map((one) => `- [${one.title}](${one.path})\\\n  ${one.summary}`).join("\n")]
      : []),
  ]);
  return {
    path: "/docs",
    markdownPath: "/docs/index.md",
    title: "Documentation",
    name: "Documentation",
    summary: about,
    markdown: ["# Documentation", about, ...parts, ""].join("\n\n"),
  };
};

const llmsOf = (sections: readonly GuideSection[], origin: string): string => {
  const line = (title: string, path: string, summary: string): string =>
    `- [${title}](${origin}${path}): ${summary}`;
  const parts = sections.flatMap(({ name, pages, index }) => [
    // What stands under this heading may be left out by who is short of room.
    `## ${index.path === optional ? "Optional" : name}`,
    [index, ...pages].map((page) => line(page.title, page.markdownPath, page.summary)).join("\n"),
  ]);
  const api = apiLinks.map(({ title, path, summary }) => line(title, path, summary)).join("\n");
  return ["# Latchkey", `> ${about}`, wires, "## The API", api, ...parts, ""].join("\n\n");
};

/**
 * @param origin stands before the addresses in llms.txt
 * @throws SetupFault when docs/ can't be read
 */
export const loadGuideSite = (
  providers: readonly Provider[],
  { origin, hasPicture }: { readonly origin: string; readonly hasPicture: (file: string) => boolean },
): GuideSite => {
  const decisions = pagesOf("docs/decisions/");
  const sections = [
    section(
      "/docs/providers",
      {
        name: "Link an account",
        title: "How do I link my account?",
        lead: "An app asks for an account that you have elsewhere? Choose where it is, and find what to enter, step by step.",
      },
      providers.map((provider) => providerPage(provider, hasPicture)),
    ),
    section(
      "/docs/guides",
      { name: "Guides", lead: "For those who build an app on this server, or run it." },
      pagesOf("docs/guides/"),
    ),
    section(
      "/docs/reference",
      { name: "Reference", lead: "Every call, setting, command and refusal, and what a request costs." },
      [...pagesOf("docs/reference/"), pageOf("docs/performance.md", "/docs/performance")],
    ),
    {
      name: "Decisions",
      pages: decisions,
      index: {
        ...pageOf("docs/decisions/README.md", "/docs/decisions", "/docs/decisions/index.md"),
        summary: "Why things are as they are.",
      },
    },
  ];
  return { home: homeOf(sections), sections, llms: llmsOf(sections, origin) };
};
