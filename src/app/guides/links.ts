/** Where the links of a page in docs/ lead on this server: the same pages work in a checkout and here. */

const fence = "^ *(`{3,}|~{3,})[^]*?^ *\\1`*~* *$";
const codeSpan = "`[^`\\n]+`";
const link = "(?:!?)\\[(?:`[^`\\n]*`|[^[\\]`])*\\]\\([^()\\s]+\\)";
const parts = new RegExp(`${fence}|${link}|${codeSpan}`, "gm");
const partsOfLink = /^(!?)\[([^]*)\]\(([^()\s]+)\)$/;

/**
 * A Markdown text with the targets of its links and pictures changed, and code left as it is.
 *
 * @param place undefined for what is not on this server: of a link its text remains
 */
export const withTargets = (markdown: string, place: (target: string) => string | undefined): string =>
  markdown.replaceAll(parts, (part) => {
    const found = partsOfLink.exec(part);
    if (!found) return part;
    const [, mark = "", text = "", target = ""] = found;
    const placed = place(target);
    return placed === undefined ? text : `${mark}[${text}](${placed})`;
  });

const hasItsPlace = /^(?:[a-z][a-z\d+.-]*:|#|\/)/i;

/** Paths in the checkout, and what is served in their place. */
const served: readonly (readonly [pattern: RegExp, place: string])[] = [
  [/^\/docs\/reference\/openapi\.json$/, "/openapi.json"],
  [/^\/docs\/decisions\/(?:README\.md)?$/, "/docs/decisions/index.md"],
  [/^\/docs\/(guides|reference)\/$/, "/docs/$1/index.md"],
  [/^\/docs\/((?:guides|reference|decisions)\/[\w-]+|performance)\.md$/, "/docs/$1.md"],
  [/^\/docs\/pictures\/([\w-]+\.png)$/, "/docs/pictures/$1"],
  [/^\/providers\/$/, "/docs/providers/index.md"],
  [/^\/providers\/([a-z][a-z0-9-]*)\.yaml$/, "/docs/providers/$1.md"],
];

/**
 * @param file from the top of the checkout: `docs/guides/webhooks.md`
 * @returns a path of this server; undefined when what a link leads to is in the checkout only
 */
export const placeOf =
  (file: string) =>
  (target: string): string | undefined => {
    if (hasItsPlace.test(target)) return target;
    const { pathname, hash } = new URL(target, `file:///${file}`);
    const found = served.find(([pattern]) => pattern.test(pathname));
    return found && pathname.replace(...found) + hash;
  };

/** A page's address out of that of its Markdown: `/docs/guides/webhooks.md#secret` is `/docs/guides/webhooks#secret`. */
export const pageAddress = (address: string): string =>
  address.startsWith("/docs/") ? address.replace(/(?:\/index)?\.md(?=#|$)/, "") : address;
