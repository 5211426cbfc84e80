import { Marked, type Token } from "marked";
import { escapeHtml } from "../pages/page-html.ts";
import { pageAddress } from "./links.ts";
import { darkNameOf, pictureAddress, type Pictures } from "./pictures.ts";

/** HTML of Markdown: no HTML of its own, links to the web and to this server only, and pictures of ours only. */

export type Heading = { readonly id: string; readonly depth: number; readonly text: string };

export type Rendered = {
  readonly html: string;
  /** The parts of the page, without its title. */
  readonly headings: readonly Heading[];
};

/** Anything else could run something (`javascript:`), or leads to another host by surprise (`//host`). */
const leadsSomewhere = /^(?:https?:\/\/|mailto:|#|\/(?![/\\]))/i;

/** `## Use your password {#use-your-password}`: an anchor that does not depend on the words. */
const ownAnchor = /\s*\{#([a-z0-9-]+)\}$/;

const plain = (tokens: readonly Token[]): string =>
  tokens
    .map((token) => {
      if ("tokens" in token && token.tokens !== undefined) return plain(token.tokens);
      return "text" in token && typeof token.text === "string" ? token.text : "";
    })
    .join("");

/** As GitHub makes anchors of headings, so that a link works there and here. */
const slug = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/g, "-");

const isComment = (html: string): boolean => /^<!--[^]*-->\s*$/.test(html);

const pictureHtml = (pictures: Pictures, href: string, alt: string): string => {
  const name = href.replace(/^\/docs\/pictures\//, "");
  const picture = pictures.get(name);
  if (picture === undefined) return "";
  const dark = pictures.get(darkNameOf(name));
  const source =
    dark === undefined
      ? ""
      : `<source media="(prefers-color-scheme: dark)" srcset="${pictureAddress(darkNameOf(name), dark)}">`;
  const { width, height } = picture;
  return `<picture>${source}<img src="${pictureAddress(name, picture)}" alt="${escapeHtml(alt)}" width="${width}" height="${height}" loading="lazy"></picture>`;
};

export const renderMarkdown = (markdown: string, pictures: Pictures): Rendered => {
  const headings: Heading[] = [];
  const taken = new Set([...markdown.matchAll(/^#+ .*\{#([a-z0-9-]+)\}$/gm)].map(([, id = ""]) => id));
  const free = (wished: string): string => {
    let id = wished;
    for (let count = 1; taken.has(id); count++) id = `${wished}-${count}`;
    taken.add(id);
    return id;
  };
  const marked = new Marked({
    renderer: {
      html: ({ text }) => (isComment(text) ? "" : escapeHtml(text)),
      heading({ tokens, depth }) {
        const inner = this.parser.parseInline(tokens);
        const [, own] = ownAnchor.exec(inner) ?? [];
        const text = plain(tokens).replace(ownAnchor, "");
        const shown = inner.replace(ownAnchor, "");
        if (depth === 1) return `<h1>${shown}</h1>\n`;
        const id = own ?? free(slug(text));
        headings.push({ id, depth, text });
        return `<h${depth} id="${id}">${shown} <a class="anchor" href="#${id}" aria-label="Link to: ${escapeHtml(text)}">#</a></h${depth}>\n`;
      },
      paragraph({ tokens }) {
        const inner = this.parser.parseInline(tokens);
        return inner === "" ? "" : `<p>${inner}</p>\n`;
      },
      link({ href, tokens }) {
        const inner = this.parser.parseInline(tokens);
        if (!leadsSomewhere.test(href)) return inner;
        return `<a href="${escapeHtml(pageAddress(href))}">${inner}</a>`;
      },
      image: ({ href, text }) => pictureHtml(pictures, href, text),
      // What is wider than the page scrolls in its own box, by keyboard too.
      code: ({ text }) => `<pre tabindex="0"><code>${escapeHtml(text)}\n</code></pre>\n`,
      table({ header, rows }) {
        const row = (cells: typeof header, name: "th" | "td"): string =>
          `<tr>${cells
            .map(
              ({ tokens, align }) =>
                `<${name}${align === null ? "" : ` class="${align}"`}>${this.parser.parseInline(tokens)}</${name}>`,
            )
            .join("")}</tr>`;
        const head = header.every(({ text }) => text === "") ? "" : `<thead>${row(header, "th")}</thead>`;
        const body = rows.map((cells) => row(cells, "td")).join("\n");
        return `<div class="scrolls" tabindex="0" role="group" aria-label="Table"><table>${head}<tbody>\n${body}\n</tbody></table></div>\n`;
      },
    },
  });
  const html = marked.parse(markdown, { async: false });
  return { html, headings };
};
