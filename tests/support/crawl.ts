// Follows every link of a house's pages, as a reader with much time would.

import type { TestHouse } from "./house.ts";
import type { Reply } from "./http.ts";

const entities: Readonly<Record<string, string>> = { "&amp;": "&", "&quot;": '"', "&#39;": "'" };

const attributes = (html: string, name: string): readonly string[] =>
  [...html.matchAll(new RegExp(`\\s${name}="([^"]*)"`, "g"))].map(([, value = ""]) =>
    value.replaceAll(/&(?:amp|quot|#39);/g, (entity) => entities[entity] ?? ""),
  );

const isHtml = ({ headers }: Reply): boolean => headers["content-type"]?.startsWith("text/html") === true;

/** Without code, in which nothing is a link. */
const targetsOfMarkdown = (text: string): readonly string[] =>
  [...text.replaceAll(/^```[^]*?^```|`[^`\n]*`/gm, "").matchAll(/\]\(([^)\s]+)\)/g)].map(
    ([, target = ""]) => target,
  );

export const idsOf = (html: string): readonly string[] => attributes(html, "id");

export type Crawled = {
  /** By path, in the order in which they were found; other places than those that were to be read are not among them. */
  readonly replies: ReadonlyMap<string, Reply>;
  /** Links that lead nowhere, and where they stand. */
  readonly dead: readonly string[];
  /** What pages load from elsewhere. */
  readonly foreign: readonly string[];
};

/**
 * @param starts where to begin
 * @param reads whether to look for more links in what a path answers
 */
export const crawl = async (
  house: Pick<TestHouse, "send" | "config">,
  starts: readonly string[],
  reads: (path: string) => boolean,
): Promise<Crawled> => {
  const { origin } = house.config.origin;
  const replies = new Map<string, Reply>();
  const asked = new Map<string, Reply>();
  const anchors: { readonly from: string; readonly path: string; readonly anchor: string }[] = [];
  const dead: string[] = [];
  const foreign: string[] = [];
  const waiting = starts.map((path) => ({ from: "the start", path }));
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const { from, path } = next;
    if (asked.has(path)) continue;
    const reply = await house.send("GET", path, { headers: { accept: "text/html" } });
    asked.set(path, reply);
    if (![200, 303].includes(reply.status)) dead.push(`${from} leads to ${path}: ${reply.status}`);
    if (!reads(path)) continue;
    replies.set(path, reply);
    const { text } = reply;
    const loaded = isHtml(reply) ? [...attributes(text, "src"), ...attributes(text, "srcset")] : [];
    const links = isHtml(reply) ? attributes(text, "href") : targetsOfMarkdown(text);
    for (const target of [...loaded, ...links]) {
      const url = new URL(target, origin + path);
      if (url.origin !== origin) {
        if (loaded.includes(target) || url.protocol !== "https:") foreign.push(`${path}: ${target}`);
        continue;
      }
      const to = url.pathname + url.search;
      waiting.push({ from: path, path: to });
      if (url.hash !== "") anchors.push({ from: path, path: to, anchor: url.hash.slice(1) });
    }
  }
  for (const { from, path, anchor } of anchors) {
    const reply = asked.get(path);
    const there = reply && isHtml(reply) ? idsOf(reply.text) : [anchor];
    if (!there.includes(anchor)) dead.push(`${from} leads to ${path}#${anchor}, and that is not there`);
  }
  return { replies, dead, foreign };
};
