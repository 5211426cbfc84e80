import { z } from "zod";
import about from "../../../package.json" with { type: "json" };
import type { RefusalKind } from "#kernel/errors.ts";
import type { Route } from "#kernel/http/route.ts";
import type { Wire } from "#kernel/http/wire.ts";
import { refusals } from "../refusals.ts";
import { wiresOf } from "./wires.ts";

/** The OpenAPI 3.1 document of the rows. The same rows always make the same text, on every machine. */

const cookieName = "__Secure-accounts-session";

const formOf = (schema: z.ZodType): Omit<z.core.JSONSchema.BaseSchema, "$schema"> => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return rest;
};

const schemaOf = (schema: z.ZodType): object => formOf(schema);

/** As the row's wire tells it. */
const told = ({ voice }: Wire, kind: RefusalKind): string =>
  `\`${voice.codeOf(kind)}\`: ${voice.sentenceOf(kind)}`;

const retryAfter = {
  "Retry-After": { description: "Whole seconds to wait.", schema: { type: "integer", minimum: 1 } },
};
const problem = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
const sentence = { "application/json": { schema: { $ref: "#/components/schemas/Sentence" } } };

/** Of what the refusals of a wire look like, where it has a form of its own. */
const errorName = ({ title }: Wire): string => `${title}Error`;

const headersOf = (status: number, kinds: readonly RefusalKind[]): object => ({
  ...Object.fromEntries(
    kinds
      .flatMap(({ headers = {} }) => Object.entries(headers))
      .map(([name, value]) => [name, { schema: { type: "string", const: value } }]),
  ),
  ...(status === 429 || status === 503 ? retryAfter : {}),
});

const refusalContent = (wire: Wire, kinds: readonly RefusalKind[]): object =>
  wire.voice.schema
    ? { "application/json": { schema: { $ref: `#/components/schemas/${errorName(wire)}` } } }
    : { ...(kinds.every(({ wordless }) => wordless) ? {} : sentence), ...problem };

const refusalAnswer = (status: number, kinds: readonly RefusalKind[], { wire }: Route): object => {
  const headers = headersOf(status, kinds);
  return {
    description: kinds.map((kind) => told(wire, kind)).join("\n\n"),
    ...(Object.keys(headers).length > 0 ? { headers } : {}),
    content: refusalContent(wire, kinds),
  };
};

const answersOf = (row: Route): object => {
  const { means, schema } = row.answers;
  const good = {
    description: means,
    ...(schema === undefined ? {} : { content: { "application/json": { schema: schemaOf(schema) } } }),
  };
  const kinds = new Map(
    row.checks.flatMap(({ refuses }) => refuses).map((kind) => [`${kind.status} ${kind.code}`, kind]),
  );
  const refused = [...Map.groupBy(kinds.values(), ({ status }) => status)].map(
    ([status, of]) => [status, refusalAnswer(status, of, row)] as const,
  );
  return Object.fromEntries<object>([...(row.notSupported ? [] : [[row.status, good] as const]), ...refused]);
};

/** A schema as a parameter: what is a group of values by name is written `name[key]=value`. */
const parameterOf = (name: string, place: "query" | "header", schema: z.ZodType): object => {
  const { description: says, ...form } = formOf(schema);
  return {
    name,
    in: place,
    ...(says === undefined ? {} : { description: says }),
    ...(schema.safeParse(undefined).success ? {} : { required: true }),
    ...(form["type"] === "object" ? { style: "deepObject", explode: true } : {}),
    schema: form,
  };
};

/** As clients write the name of a header. */
const asWritten = (name: string): string =>
  name.replaceAll(/(?<=^|-)[a-z]/g, (letter) => letter.toUpperCase());

const parametersOf = ({ path, query, headers }: Route): readonly object[] => [
  ...[...path.matchAll(/\{(\w+)\*?\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  })),
  ...Object.entries<z.ZodType>(query.schema?.shape ?? {}).map(([name, schema]) =>
    parameterOf(name, "query", schema),
  ),
  ...Object.entries<z.ZodType>(headers?.shape ?? {}).map(([name, schema]) =>
    parameterOf(asWritten(name), "header", schema),
  ),
];

const ofAccounts = [{ basic: [] }, { cookie: [] }];

/** What callers show, in the terms of the security schemes below. */
const securityByAdmits: ReadonlyMap<string, readonly object[]> = new Map<string, readonly object[]>([
  ["API key", [{ environmentKey: [] }]],
  ["connect session", [{ connectSession: [] }]],
  ["API key or connect session", [{ environmentKey: [] }, { connectSession: [] }]],
  ["cookie, password or token", ofAccounts],
  ["cookie or password", ofAccounts],
]);

const securityOf = ({ method, path, admits, input }: Route): readonly object[] => {
  if (admits === "anyone") {
    const read = [
      ...(input.readsBasic ? [{ basic: [] }] : []),
      ...(input.readsCookie ? [{ cookie: [] }] : []),
    ];
    return read.length === 0 ? [] : [{}, ...read];
  }
  const security = securityByAdmits.get(admits);
  if (!security) throw new Error(`The document has no scheme for what ${method} ${path} asks for: ${admits}`);
  return security;
};

/** What people open in a browser is no part of the API. */
const isCall = ({ wire }: Route): boolean => wire.forPeople !== true;

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
  const { schema, optional } = row.input;
  return {
    operationId: operationIdOf(method, row.path),
    tags: [row.wire.title],
    summary: row.summary,
    ...(row.admits === "cookie or password" ? { description: "An API token is refused here." } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(schema === undefined
      ? {}
      : {
          requestBody: {
            required: !optional,
            content: { "application/json": { schema: schemaOf(schema) } },
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

/** @param wires those with a form of their own for refusals add it to the schemas */
const componentsOf = (wires: readonly Wire[]): object => ({
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
    ...Object.fromEntries(
      wires.flatMap((wire) =>
        wire.voice.schema ? [[errorName(wire), schemaOf(wire.voice.schema)] as const] : [],
      ),
    ),
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
});

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
  tags: wiresOf(rows.filter(isCall)).map(({ title, about: says }) => ({ name: title, description: says })),
  paths: Object.fromEntries(
    [...Map.groupBy(rows.filter(isCall), ({ path }) => path)].map(([path, group]) => [
      path.replace("*}", "}"),
      Object.fromEntries(
        group.flatMap((row) => methodsOf(row).map((method) => [method, operationOf(row, method)])),
      ),
    ]),
  ),
  components: componentsOf(wiresOf(rows)),
});
