/** An origin as browsers send it: scheme, host, port, and nothing behind it (RFC 6454 §6.2). */

/** It stands in headers, among others: no `;`, no `,`, and no `*` that a browser would take for any name. */
const webHost = /^(?:[a-z0-9._-]+|\[[0-9a-f:]+\])$/;

/**
 * Of extensions and of apps that bring their own browser: `chrome-extension://abcd`, `capacitor://localhost`. To the parser
 * of URLs these have no origin, and browsers compare them letter by letter.
 */
const appOrigin = /^[a-z][a-z0-9+.-]{0,63}:\/\/[A-Za-z0-9._-]+(?::\d{1,5})?$/;

/** Their pages have no origin that is theirs alone, or they are no pages. */
const never: ReadonlySet<string> = new Set(
  "about: blob: data: file: filesystem: ftp: javascript: mailto: view-source: ws: wss:".split(" "),
);

/** @returns the origin as browsers write it; undefined when the text is none, or has something behind it */
export const readOrigin = (text: string): string | undefined => {
  const url = URL.parse(text);
  if (url === null || never.has(url.protocol)) return undefined;
  if (url.protocol === "https:" || url.protocol === "http:") {
    return url.href === `${url.origin}/` && webHost.test(url.hostname) ? url.origin : undefined;
  }
  const bare = text.replace(/\/$/, "");
  return appOrigin.test(bare) ? bare : undefined;
};
