// Files whose subject is decided before the store is asked, or without it: on both stores they try the same code twice.
// `npm test` runs them on SQLite, `npm run soak` on both. What a store could answer differently (texts that are compared
// or looked up, limits that are counted, rows that race) is no file for this list.

import { existsSync } from "node:fs";

const reasons = {
  "tests/http/13-bodies.test.ts": "how a body is read, before it means anything",
  "tests/http/14-paths-and-methods.test.ts": "which row a path is",
  "tests/http/15-response-headers.test.ts": "headers that an answer has by its row",
  "tests/http/20-cors.test.ts": "headers that an answer has by the page's origin",
  "tests/http/26-page-files.test.ts": "files of this server",
  "tests/http/28-guides.test.ts": "pages that are made of files",
  "tests/http/28-provider-guides.test.ts": "pages that are made of files",
  "tests/http/35-proxy-bodies.test.ts": "bytes that pass between two connections",
  "tests/security/a14-held-bodies.test.ts": "how a body is kept before it is looked at",
  "tests/security/a14-huge-input.test.ts": "what is cut off before it is looked at",
  "tests/security/a14-unread-bodies.test.ts": "what is never looked at",
  "tests/security/a22-host-poisoning.test.ts": "which address a mail is written with",
  "tests/security/a34-signatures.test.ts": "one computation, of a token that names its key rightly",
  "tests/security/a36-cookie-tossing.test.ts": "how a Cookie header is read",
  "tests/security/a38-page-headers.test.ts": "headers that a page has by its row",
  "tests/security/pipelined-floods.test.ts": "requests on one connection, before they are any row's",
} satisfies Readonly<Record<string, string>>;

/** Their paths, from the root of the checkout. @throws Error when one of them is not there */
export const ofOneStore = (root: string): ReadonlySet<string> => {
  const files = Object.keys(reasons).map((path) => `${root}/${path}`);
  const gone = files.find((file) => !existsSync(file));
  if (gone !== undefined) throw new Error(`tests/support/one-store.ts lists ${gone}, which is not there.`);
  return new Set(files);
};
