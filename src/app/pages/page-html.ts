import type { Headers } from "#kernel/http/wire.ts";
import type { BuiltPage, Look } from "./page-files.ts";

/** The HTML around a page's script: head, styles, and the facts that the script begins with. */

/** What a page knows before it asks anything. */
export type PageFacts = {
  /** Who is signed in; null when nobody is. */
  readonly signedIn: { readonly email: string; readonly name: string } | null;
  readonly origin: string;
  readonly passwordMin: number;
  readonly closeGraceDays: number;
  readonly revealToken: boolean;
  /** Whether a new account has to verify its address before it can sign in. */
  readonly verifiesFirst: boolean;
  /** Local mode: the mails of this server can be read at /dev/mail. */
  readonly local: boolean;
  /** Local mode: Connect can be tried at /connect/demo. */
  readonly demo: boolean;
};

/**
 * Only our own scripts, styles and calls; nothing inline, nothing framed, nothing sent elsewhere. Scripts can't be made
 * out of text either: the pages put texts into the document as texts only.
 */
export const pagePolicy: readonly string[] = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
];

export const pageHeaders: Headers = {
  "content-security-policy": [...pagePolicy, "frame-ancestors 'none'"].join("; "),
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  // Our own pages may know where a call came from: with nothing at all, some browsers send `Origin: null`.
  "referrer-policy": "same-origin",
};

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
export const escapeHtml = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => escapes[character] ?? "");

const usualAssets = "/assets/";

export const head = (title: string, { icon, style }: Look, assets = usualAssets): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="format-detection" content="telephone=no">
    <title>${escapeHtml(title)}</title>
    <link rel="icon" href="${assets}${icon}" type="image/svg+xml">
    <link rel="stylesheet" href="${assets}${style}">`;

/** A page whose facts still have to be filled in: what is the same for every request is made once. */
export const createPageHtml = ({ title, script, imports }: BuiltPage, look: Look, assets = usualAssets) => {
  const before = `${head(title, look, assets)}
${imports.map((file) => `    <link rel="modulepreload" href="${assets}${file}">\n`).join("")}    <script type="module" src="${assets}${script}"></script>
    <meta name="latchkey" content="`;
  const after = `">
  </head>
  <body>
    <noscript><p class="alone">These pages need JavaScript. Everything that they do can be done with curl too: see <a href="/docs/api">the API</a>.</p></noscript>
  </body>
</html>
`;
  return (facts: object): string => before + escapeHtml(JSON.stringify(facts)) + after;
};

const headings: Readonly<Record<number, string>> = {
  404: "There is no such page",
  421: "This is not the address of this server",
  503: "The server is busy",
};

const says = (status: number): string | undefined =>
  status === 404 ? "The address may be mistyped, or the page may have moved." : undefined;

/** @returns HTML */
export type ErrorPage = (told: {
  readonly status: number;
  readonly sentence: string;
  readonly requestId: string;
}) => string;

/** A refusal that a person sees instead of a page. */
export const createErrorPage =
  (look: Look, home: string): ErrorPage =>
  ({ status, sentence, requestId }) => {
    const heading = headings[status] ?? "That did not work";
    return `${head(`${heading} · Latchkey`, look)}
  </head>
  <body>
    <main class="alone">
      <p class="status">${status}</p>
      <h1>${escapeHtml(heading)}</h1>
      <p>${escapeHtml(says(status) ?? `${sentence}.`)}</p>
      <p><a href="${escapeHtml(home)}">Go to the start page</a></p>
      <p class="small">Request ${escapeHtml(requestId)}</p>
    </main>
  </body>
</html>
`;
  };
