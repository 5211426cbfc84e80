import type { Heading, Rendered } from "./markdown.ts";
import type { GuidePage, GuideSection } from "./page.ts";
import type { Look } from "../pages/page-files.ts";
import { escapeHtml, head } from "../pages/page-html.ts";

/** The page around a guide: where it is, what stands beside it, and no script at all. */

const link = (path: string, text: string, current: string): string =>
  `<a href="${escapeHtml(path)}"${path === current ? ' aria-current="page"' : ""}>${escapeHtml(text)}</a>`;

const bar = (icon: string): string => `<header class="bar">
      <div>
        <a class="brand" href="/" aria-label="Latchkey"><img src="/assets/${escapeHtml(icon)}" alt="" width="28" height="28"><span>Latchkey</span></a>
        <nav class="who" aria-label="Documentation"><a href="/docs/">Documentation</a><a href="/docs/api">API</a></nav>
      </div>
    </header>`;

const trail = (page: GuidePage, sections: readonly GuideSection[]): string => {
  const inside = sections.find(({ pages }) => pages.includes(page));
  const isHome = page.path === "/docs";
  const ways = [
    ...(isHome ? [] : [`<li><a href="/docs/">Documentation</a></li>`]),
    ...(inside ? [`<li><a href="${inside.index.path}">${escapeHtml(inside.name)}</a></li>`] : []),
  ];
  return ways.length === 0
    ? ""
    : `<nav class="trail" aria-label="You are here"><ol>${ways.join("")}</ol></nav>`;
};

const beside = (page: GuidePage, sections: readonly GuideSection[]): string =>
  sections
    .map(({ name, index, pages }) => {
      const isHere = index === page || pages.includes(page);
      // Twenty decisions would push everything else out of sight.
      const shown = isHere || pages.length <= 12 ? pages : [];
      const items = shown.map((one) => `<li>${link(one.path, one.name, page.path)}</li>`).join("");
      return `<p>${link(index.path, name, page.path)}</p>${items === "" ? "" : `<ul>${items}</ul>`}`;
    })
    .join("\n");

const onThisPage = (headings: readonly Heading[]): string => {
  const listed = headings.filter(({ depth }) => depth <= 3);
  if (listed.length < 3) return "";
  const items = listed
    .map(({ id, depth, text }) => `<li class="depth-${depth}"><a href="#${id}">${escapeHtml(text)}</a></li>`)
    .join("");
  return `<nav class="on-page" aria-labelledby="on-page-title"><p id="on-page-title">On this page</p><ul>${items}</ul></nav>`;
};

export const guideHtml = (
  page: GuidePage,
  { html, headings }: Rendered,
  { sections, look }: { readonly sections: readonly GuideSection[]; readonly look: Look },
): string => `${head(`${page.title} · Latchkey`, look)}
    <meta name="description" content="${escapeHtml(page.summary)}">
    <link rel="alternate" type="text/markdown" href="${escapeHtml(page.markdownPath)}">
  </head>
  <body>
    ${bar(look.icon)}
    <div class="guide">
      <main>
        ${trail(page, sections)}
        <article${page.markdownPath.endsWith("/index.md") ? ' class="index"' : ""}>
${html}
        </article>
        <footer class="small"><a href="${escapeHtml(page.markdownPath)}">This page as Markdown</a> · <a href="/llms.txt">All pages, for programs</a></footer>
      </main>
      <nav class="beside" aria-label="All pages">
        ${beside(page, sections)}
      </nav>
      ${onThisPage(headings)}
    </div>
  </body>
</html>
`;
