import { z } from "zod";
import about from "../../../package.json" with { type: "json" };
import { refusals, type RefusalCode } from "#kernel/errors.ts";
import type { Route, Wire } from "#kernel/http/route.ts";
import { detailsOf, refusalsOf } from "./row-details.ts";

/** The OpenAPI 3.1 document of the rows. The same rows always make the same text, on every machine. */

const cookieName = "__Secure-accounts-session";

const schemaOf = (schema: z.ZodType): object => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return rest;
};

const sentenceOf = (code: RefusalCode, row: Route): string => {
  const refusal = refusals[code];
  return row.wire === "track" && "track" in refusal ? refusal.track : refusal.text;
};

/** As the row's wire spells it. */
const codeOf = (code: RefusalCode, row: Route): string => {
  const refusal = refusals[code];
  return row.wire === "connect" && "connect" in refusal ? refusal.connect : code;
};

const retryAfter = {
  "Retry-After": { description: "Whole seconds to wait.", schema: { type: "integer", minimum: 1 } },
};
const connectErrors = { "application/json": { schema: { $ref: "#/components/schemas/ConnectError" } } };
const authorizationMissing = { "X-Authorization-Missing": { schema: { type: "string", const: "true" } } };
const problem = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };

const refusalAnswer = (status: number, codes: readonly RefusalCode[], row: Route): object => {
  const told = codes.map((code) => `\`${codeOf(code, row)}\`: ${sentenceOf(code, row)}`).join("\n\n");
  const isConnect = row.wire === "connect";
  const headers = {
    ...(status === 401 && !isConnect ? authorizationMissing : {}),
    ...(status === 429 || status === 503 ? retryAfter : {}),
  };
  // Without credentials there is no body, unless a problem document is asked for.
  const sentence =
    status === 401 ? {} : { "application/json": { schema: { $ref: "#/components/schemas/Sentence" } } };
  return {
    description: told,
    ...(Object.keys(headers).length > 0 ? { headers } : {}),
    content: isConnect ? connectErrors : { ...sentence, ...problem },
  };
};

const answersOf = (row: Route): object => {
  const { means, schema } = row.answers;
  // Of rows that say another status than 200 it is the first word.
  const status = Number(/^(2\d\d)(?=[:.])/.exec(means)?.[1] ?? 200);
  const good = {
    description: means,
    ...(schema === undefined ? {} : { content: { "application/json": { schema: schemaOf(schema) } } }),
  };
  const byStatus = Map.groupBy(refusalsOf(row), (code) => refusals[code].status);
  const refused = [...byStatus].map(([code, codes]) => [code, refusalAnswer(code, codes, row)] as const);
  return Object.fromEntries<object>([[status, good], ...refused]);
};

const parametersOf = (row: Route): readonly object[] => [
  ...[...row.path.matchAll(/\{(\w+)\*?\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  })),
  ...Object.entries(detailsOf(row).query ?? {}).map(([name, description]) => ({
    name,
    in: "query",
    description,
    schema: { type: "string" },
  })),
  ...Object.entries(detailsOf(row).headers ?? {}).map(([name, description]) => ({
    name,
    in: "header",
    description,
    schema: { type: "string" },
  })),
];

const securityOf = (row: Route): readonly object[] => {
  switch (row.admits) {
    case "API key":
      return [{ environmentKey: [] }];
    case "connect session":
      return [{ connectSession: [] }];
    case "API key or connect session":
      return [{ environmentKey: [] }, { connectSession: [] }];
    case "cookie, password or token":
    case "cookie or password":
      return [{ basic: [] }, { cookie: [] }];
    case "anyone":
      break;
  }
  return detailsOf(row).readsBasic ? [{}, { basic: [] }] : [];
};

const tags: Readonly<Record<Wire, string>> = {
  accounts: "Accounts",
  track: "Track",
  connect: "Connect",
  plain: "Server",
  pages: "Pages",
};

/** What people open in a browser is no part of the API. */
const isCall = ({ wire }: Route): boolean => wire !== "pages";

const operationIdOf = (method: string, path: string): string =>
  method +
  path
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");

/** The proxy's rows take any method; here they stand under each that a description can name. */
const methodsOf = ({ method }: Route): readonly string[] =>
  method === "ANY" ? ["get", "post", "put", "patch", "delete"] : [method.toLowerCase()];

const operationOf = (row: Route, method: string): object => {
  const parameters = parametersOf(row);
  return {
    operationId: operationIdOf(method, row.path),
    tags: [tags[row.wire]],
    summary: row.summary,
    ...(row.admits === "cookie or password" ? { description: "An API token is refused here." } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(row.bodySchema === undefined
      ? {}
      : {
          requestBody: {
            required: !row.bodyOptional,
            content: { "application/json": { schema: schemaOf(row.bodySchema) } },
          },
        }),
    security: securityOf(row),
    responses: answersOf(row),
  };
};

const description = [
  "Accounts, and the API that their credentials open.",
  "A refusal is a JSON string literal, or with `Accept: application/problem+json` a problem document (RFC 9457) with a stable `code`.",
  "A path that nobody knows is 404, a method that a path does not know 405 with `Allow`, and headers over 16 KiB are 431. Bodies are JSON of at most 64 KiB, plain or gzip.",
].join("\n\n");

const components = {
  securitySchemes: {
    basic: { type: "http", scheme: "basic", description: "`email:password`, or `<API token>:api_token`." },
    environmentKey: {
      type: "http",
      scheme: "bearer",
      description: "An API key of an environment, with the scope that the call needs.",
    },
    connectSession: {
      type: "http",
      scheme: "bearer",
      description: "The token of a connect session. Submissions take it as `connect_session_token` too.",
    },
    cookie: {
      type: "apiKey",
      in: "cookie",
      name: cookieName,
      description: "Set by sign-up, sign-in and password reset.",
    },
  },
  schemas: {
    Sentence: { type: "string", description: "What is wrong, in one sentence." },
    ConnectError: {
      type: "object",
      required: ["error"],
      properties: {
        error: {
          type: "object",
          required: ["code", "message"],
          properties: {
            code: { type: "string" },
            message: { type: "string", description: "What is wrong, in one sentence." },
            errors: {
              type: "array",
              description: "Every field that is wrong.",
              items: {
                type: "object",
                required: ["code", "message", "path"],
                properties: {
                  code: { type: "string" },
                  message: { type: "string" },
                  path: { type: "array", items: { type: "string" } },
                },
              },
            },
            payload: { type: "object" },
          },
        },
      },
    },
    Problem: {
      type: "object",
      required: ["type", "title", "status", "detail", "code", "instance"],
      properties: {
        type: { type: "string", format: "uri" },
        title: { type: "string" },
        status: { type: "integer" },
        detail: { type: "string" },
        code: { type: "string", enum: Object.keys(refusals) },
        instance: { type: "string", format: "uri", description: "Names the request, as the logs do." },
        errors: {
          type: "array",
          description: "Every field that is wrong.",
          items: {
            type: "object",
            required: ["field", "rule", "message"],
            properties: { field: { type: "string" }, rule: { type: "string" }, message: { type: "string" } },
          },
        },
      },
    },
  },
};

/** @param origin where the calls go, without a path */
export const openApiDocument = (rows: readonly Route[], origin: string): object => ({
  openapi: "3.1.1",
  info: {
    title: "Latchkey",
    version: about.version,
    description,
    license: { name: "Apache-2.0", identifier: "Apache-2.0" },
  },
  servers: [{ url: origin }],
  tags: [
    { name: "Accounts", description: "Sign-up, sessions, passwords: who you are." },
    { name: "Track", description: "Toggl Track's API v9, so far the account part: what you may reach." },
    {
      name: "Connect",
      description:
        'Accounts that people link: sessions, credentials, the proxy. Nango\'s wire: refusals are `{"error":{"code","message"}}`.',
    },
    { name: "Server", description: "Whether it is well, and its public keys." },
  ],
  paths: Object.fromEntries(
    [...Map.groupBy(rows.filter(isCall), ({ path }) => path)].map(([path, group]) => [
      path.replace("*}", "}"),
      Object.fromEntries(
        group.flatMap((row) => methodsOf(row).map((method) => [method, operationOf(row, method)])),
      ),
    ]),
  ),
  components,
});
