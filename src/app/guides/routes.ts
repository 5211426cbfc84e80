import { createHash } from "node:crypto";
import { z } from "zod";
import type { Provider } from "#connect";
import { Refusal, refusals } from "#kernel/errors.ts";
import type { Incoming } from "#kernel/http/incoming.ts";
import { namedQuery, noBody } from "#kernel/http/input.ts";
import type { Headers, Wire } from "#kernel/http/wire.ts";
import { anyone, route, type Answer, type Route } from "#kernel/http/route.ts";
import { htmlType } from "#kernel/http/content-types.ts";
import { guideHtml } from "./html.ts";
import { withTargets } from "./links.ts";
import { renderMarkdown } from "./markdown.ts";
import type { GuidePage } from "./page.ts";
import { loadPictures } from "./pictures.ts";
import { loadGuideSite } from "./site.ts";
import type { Look } from "../pages/page-files.ts";

/** The documentation of this server, as pages and as the Markdown that they are made of. */

const markdownType = "text/markdown; charset=utf-8";
const immutable = "public, max-age=31536000, immutable";

/** Nothing but text, our style sheet and our pictures: these pages need no script, so none may run. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const headers: Headers = { "content-security-policy": contentSecurityPolicy };

type Text = { readonly type: string; readonly body: string; readonly tag: string };

const textOf = (type: string, body: string): Text => ({
  type,
  body,
  tag: `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`,
});

/** Made when it is first asked for, and kept: a page is the same for everybody until the next start. */
const kept = <Value>(make: () => Value): (() => Value) => {
  let made: { readonly value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
};

/** A browser asks each time whether its copy still holds, because a new version may change any page. */
const answerWith = ({ type, body, tag }: Text, incoming: Incoming): Answer => {
  const cached: Headers = { ...headers, "cache-control": "no-cache", etag: tag };
  const known = (incoming.header("if-none-match") ?? "")
    .split(",")
    .map((one) => one.trim().replace(/^W\//, ""));
  return known.includes(tag)
    ? { status: 304, headers: cached }
    : { content: { type, body }, headers: cached };
};

type GuideDeps = {
  readonly origin: URL;
  readonly providers: readonly Provider[];
  readonly look: Look;
  readonly wire: Wire;
};

/** @throws SetupFault when docs/ can't be read */
export const guideRoutes = ({ origin: { origin }, providers, look, wire }: GuideDeps): readonly Route[] => {
  const pictures = loadPictures();
  const site = loadGuideSite(providers, { origin, hasPicture: (file) => pictures.has(file) });
  const { sections } = site;

  const pageText = (page: GuidePage): Text =>
    textOf(htmlType, guideHtml(page, renderMarkdown(page.markdown, pictures), { sections, look }));

  /** Read away from here, a path alone leads nowhere. */
  const markdownText = ({ markdown }: GuidePage): Text => {
    const index = `> Every page of this documentation: ${origin}/llms.txt`;
    const absolute = withTargets(markdown, (target) => (target.startsWith("/") ? origin + target : target));
    return textOf(markdownType, `${index}\n\n${absolute.trim()}\n`);
  };

  const llms = textOf("text/plain; charset=utf-8", site.llms);
  const texts = new Map<string, () => Text>([
    ...[site.home, ...sections.flatMap(({ index, pages }) => [index, ...pages])].flatMap(
      (page) =>
        [
          [page.path, kept(() => pageText(page))],
          [page.markdownPath, kept(() => markdownText(page))],
        ] as const,
    ),
    ["/llms.txt", () => llms],
    ["/docs/llms.txt", () => llms],
  ]);

  const open = { method: "GET", guard: anyone, input: noBody, wire } as const;

  const answerFor = (path: string, incoming: Incoming): Answer => {
    incoming.refuseOtherHosts();
    const text = texts.get(path);
    if (!text) throw new Refusal(refusals.not_found);
    return answerWith(text(), incoming);
  };
  const page = {
    ...open,
    refuses: [refusals.host_unknown, refusals.not_found],
    answers: { means: "The page, or with `.md` behind its name the Markdown that it is made of." },
  } as const;

  const one = (path: string, summary: string): Route =>
    route({ ...page, path, summary, run: ({ incoming }) => answerFor(path, incoming) });
  const pagesOf = (folder: string, summary: string): Route =>
    route({
      ...page,
      path: `${folder}/{page}`,
      summary,
      run: ({ params, incoming }) => answerFor(`${folder}/${params.page}`, incoming),
    });

  return [
    one("/docs", "The documentation"),
    pagesOf("/docs", "A list of pages, or a page that is in none"),
    pagesOf("/docs/providers", "How to link an account, by provider"),
    pagesOf("/docs/guides", "A guide"),
    pagesOf("/docs/reference", "A page of the reference"),
    pagesOf("/docs/decisions", "Why something is as it is"),
    one("/llms.txt", "The list of all pages, for programs"),
    route({
      ...open,
      path: "/docs/pictures/{file}",
      summary: "A picture of the documentation",
      query: namedQuery(z.object({ digest: z.string().optional() })),
      refuses: [refusals.not_found],
      answers: { means: "The picture." },
      run: ({ params, query }) => {
        const picture = pictures.get(params.file);
        if (!picture) throw new Refusal(refusals.not_found);
        return {
          content: { type: "image/png", body: picture.body },
          headers: {
            ...headers,
            // The pages ask by digest, so a new picture has a new address.
            "cache-control": query.digest === picture.digest ? immutable : "no-cache",
          },
        };
      },
    }),
  ];
};
