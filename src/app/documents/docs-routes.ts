import fastify from "fastify";
import { createHash } from "node:crypto";
import { z } from "zod";
import { namedQuery, noBody } from "#kernel/http/input.ts";
import { anyone, route, type Route } from "#kernel/http/route.ts";
import { htmlType } from "#kernel/http/content-types.ts";
import { openApiDocument } from "./openapi.ts";
import { plainWire } from "#kernel/http/wire.ts";
import { refusals } from "#kernel/errors.ts";

/**
 * What the rows say of themselves: the document, and a page that shows it. The page's one library is
 * Scalar's, served by us, so that nobody else learns who reads here.
 */

const immutable = "public, max-age=31536000, immutable";

type Script = { readonly body: Buffer; readonly digest: string };

/**
 * The browser's script, out of Scalar's plugin for Fastify, which has it as text. Its 4 MB are loaded with the
 * first visit: a server whose documents nobody opens doesn't carry them.
 */
const loadScalar = async (): Promise<Script> => {
  const { default: scalar } = await import("@scalar/fastify-api-reference");
  const scratch = fastify();
  try {
    await scratch.register(scalar, { routePrefix: "/", configuration: { url: "/openapi.json" } });
    const { rawPayload, statusCode } = await scratch.inject("/js/scalar.js");
    if (statusCode !== 200) throw new Error(`Scalar's script is not where it was: ${statusCode}`);
    return { body: rawPayload, digest: createHash("sha256").update(rawPayload).digest("hex").slice(0, 16) };
  } finally {
    await scratch.close();
  }
};

/** Everything that Scalar would ask of other hosts, or offer to send there, is off. */
const configuration = {
  url: "/openapi.json",
  withDefaultFonts: false,
  telemetry: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  showDeveloperTools: "never",
  documentDownloadType: "json",
  persistAuth: false,
  authentication: { preferredSecurityScheme: "basic" },
  metaData: { title: "Latchkey API" },
};

const startScript = `Scalar.createApiReference("#reference", ${JSON.stringify(configuration)});\n`;

/**
 * Scripts and calls are ours only. Styles may stand inline because Scalar writes its style sheet into the page
 * and sets style attributes, which no nonce covers; without foreign scripts they can't carry anything away,
 * and no address of another host is allowed for images and fonts.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const page = (digest: string): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Latchkey API</title>
    <link rel="icon" href="data:,">
  </head>
  <body>
    <noscript>This page needs JavaScript. The document itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
    <div id="reference"></div>
    <script src="/docs/api/scalar.js?digest=${digest}"></script>
    <script src="/docs/api/start.js"></script>
  </body>
</html>
`;

/** The rows, and behind them the rows that show them. */
export const withDocuments = (rows: readonly Route[], origin: URL): readonly Route[] => {
  let made: string | undefined;
  /** With the first visit: a server that is to be quick to start does not write it for nobody. */
  const document = (): string => (made ??= JSON.stringify(openApiDocument(rows, origin.origin)));
  let loading: Promise<Script> | undefined;
  const scalar = (): Promise<Script> => {
    loading ??= loadScalar().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
  const open = { method: "GET", wire: plainWire, guard: anyone, input: noBody } as const;
  return [
    ...rows,
    route({
      ...open,
      path: "/openapi.json",
      summary: "The OpenAPI document of this server",
      answers: { means: "The document.", schema: z.looseObject({ openapi: z.string() }) },
      run: () => ({ content: { type: "application/json; charset=utf-8", body: document() } }),
    }),
    route({
      ...open,
      path: "/docs/api",
      summary: "A page to read the document on",
      refuses: [refusals.host_unknown],
      answers: { means: "The page." },
      run: async ({ incoming }) => {
        incoming.refuseOtherHosts();
        return {
          content: { type: htmlType, body: page((await scalar()).digest) },
          headers: { "content-security-policy": contentSecurityPolicy },
        };
      },
    }),
    route({
      ...open,
      path: "/docs/api/start.js",
      summary: "The page's settings",
      answers: { means: "A script." },
      run: () => ({ content: { type: "text/javascript; charset=utf-8", body: startScript } }),
    }),
    route({
      ...open,
      path: "/docs/api/scalar.js",
      summary: "The page's library",
      query: namedQuery(z.object({ digest: z.string().optional() })),
      answers: { means: "A script." },
      run: async ({ query }) => {
        const { body, digest } = await scalar();
        return {
          content: { type: "text/javascript; charset=utf-8", body },
          // The page asks by digest, so a new version of the script has a new address.
          ...(query.digest === digest ? { headers: { "cache-control": immutable } } : {}),
        };
      },
    }),
  ];
};
