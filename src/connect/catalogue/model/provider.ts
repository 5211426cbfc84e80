import { z } from "zod";

/**
 * What a provider's file (`providers/<name>.yaml`) may say: one place where a person has an account that can be linked.
 * Unknown keys are refused, so that a mistyped rule can't be passed over. `docs/guides/add-a-provider.md` explains it.
 */

const fieldName = z
  .string()
  .regex(/^[a-zA-Z][a-zA-Z0-9_]{0,63}$/, "must be a letter and up to 63 letters, digits or _ behind it");

const text = z.string().min(1);

/** A field that somebody fills in, or that is filled in for them. */
export const field = z.strictObject({
  title: text,
  description: text.optional(),
  example: text.optional(),
  /** The whole value must match (JavaScript, flag `u`). */
  pattern: text.optional(),
  /** The pattern in words, behind "must be": `32 characters, 0–9 and a–f`. */
  looks_like: text.optional(),
  format: z.enum(["hostname", "uri", "uuid", "email"]).optional(),
  enum: z.array(text).min(1).optional(),
  /** Never shown again, and sealed when it is kept. */
  secret: z.boolean().default(false),
  optional: z.boolean().default(false),
  default: z.string().optional(),
  /** Filled in with the default; nobody is asked. */
  hidden: z.boolean().default(false),
  /** A blank at either end may belong to it, as in a password that a person made up. */
  keep_blanks: z.boolean().default(false),
  order: z.int().optional(),
  /** Shown before and behind the input, and taken off again when they were pasted with the value. */
  prefix: text.optional(),
  suffix: text.optional(),
  /** An anchor of the provider's guide: `#find-your-token`. */
  doc_section: z
    .string()
    .regex(/^#[a-z0-9-]+$/, "must be an anchor like #find-your-token")
    .optional(),
});

export const fields = z.record(fieldName, field);

/**
 * Text with `${username}`, `${password}`, `${apiKey}`, `${connectionConfig.x}`, `${integrationConfig.x}` and
 * `${base64(...)}` in it.
 */
const template = text;

/** A file of docs/pictures, and what it shows for those who can't see it. */
const picture = z.strictObject({
  file: z.string().regex(/^[a-z0-9-]+\.png$/, "must be the name of a file in docs/pictures, like form.png"),
  alt: text,
});

/** One of the forms that credentials of a provider can have: an API token, say, or e-mail and password. */
export const shape = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,31}$/, "must be up to 32 lower-case letters, digits or _, a letter first"),
  title: text,
  description: text.optional(),
  recommended: z.boolean().default(false),
  /** The form with this shape. */
  picture: picture.optional(),
  /** `username` and `password` for BASIC, `apiKey` for API_KEY, none for NONE. */
  fields,
  /**
   * Credentials that are used once, to fetch better ones: the value at `read` of the identity answer is kept in the
   * field of the shape `into`, and what was typed is not.
   */
  swap: z.strictObject({ read: text, into: text, field: fieldName }).optional(),
});

const isStatus = (value: unknown): boolean =>
  typeof value === "number"
    ? Number.isInteger(value) && value >= 100 && value <= 599
    : typeof value === "string" && /^([1-5]xx|[1-5]\d\d-[1-5]\d\d)$/.test(value);

/** A test of an answer: every part that is there must hold. */
const condition = z.strictObject({
  /** `403`, `5xx`, `500-502` */
  status: z
    .array(z.custom<number | string>(isStatus, "must be a status like 403, 5xx or 500-502"))
    .min(1)
    .optional(),
  /** Value of the JSON body at a path, as text, against a pattern for the whole of it. */
  body: z.strictObject({ path: text, matches: text }).optional(),
  /** A header of the answer against a pattern for the whole of it. */
  header: z.strictObject({ name: text, matches: text }).optional(),
});

export const outcome = z.enum([
  "accepted",
  "wrong_credentials",
  "quota",
  "rate_limited",
  "unavailable",
  "unexpected",
]);
export type Outcome = z.infer<typeof outcome>;

const verification = z.strictObject({
  method: z.enum(["GET", "POST"]).default("GET"),
  /** Behind the base URL. */
  path: template,
  /** Instead of the provider's base URL. */
  base_url: template.optional(),
  headers: z.record(z.string(), template).default({}),
  /** Sent as JSON, as it stands. */
  body: z.json().optional(),
  /** Paths into the JSON answer (`data.user.id`, `0.name`); an answer without the id is not the identity. */
  account: z.strictObject({
    id: text,
    name: z.array(text).default([]),
    email: z.array(text).default([]),
    workspace: z.array(text).default([]),
  }),
});

export const providerFile = z.strictObject({
  display_name: text,
  categories: z
    .array(z.string().regex(/^[a-z][a-z0-9-]*$/, "must be lower-case letters, digits and -"))
    .default([]),
  auth_mode: z.enum(["BASIC", "API_KEY", "NONE"]),
  /**
   * With scheme: `https://`, or `latchkey:` for this server's own Track API. A variable in its host needs a field with a
   * pattern or an enum, or the format hostname.
   */
  base_url: template,
  /** Calls through the proxy may go to these folders only, each with a slash at both ends; without it, to any. */
  paths: z
    .array(z.string().regex(/^\/([\w.~-]+\/)*$/, "must be a path like /api/v9/"))
    .min(1)
    .optional(),
  /** The provider's own pages about its API; `latchkey:/…` are pages of this server. */
  docs: z.string().regex(/^(https:\/\/[^\s/]|latchkey:\/)\S*$/, "must be a URL that starts with https://"),
  shapes: z.array(shape).min(1),
  connection_config: fields.default({}),
  integration_config: fields.default({}),
  /** Sent with every call. BASIC has its Authorization header by itself. */
  headers: z.record(z.string(), template).default({}),
  query: z.record(text, template).default({}),
  verification: verification.optional(),
  /** The first that fits decides; behind them stand the rules of all providers. `says` is told instead of our sentence. */
  outcomes: z.array(z.strictObject({ when: condition, is: outcome, says: text.optional() })).default([]),
  retry: z
    .strictObject({
      /** Headers with the seconds to wait, and with the moment (epoch seconds) to wait for. */
      after: z.array(text).default([]),
      at: z.array(text).default([]),
      /** In place of 429 and 5xx. */
      statuses: z.array(z.int().min(100).max(599)).min(1).optional(),
    })
    .prefault({}),
  /** The guide to the form, as Markdown sections by their anchors. */
  guide: z
    .array(
      z.strictObject({
        anchor: z.string().regex(/^[a-z0-9-]+$/, "must be lower-case letters, digits and -"),
        title: text,
        text,
        picture: picture.optional(),
      }),
    )
    .default([]),
});

export type Field = z.infer<typeof field>;
export type Fields = z.infer<typeof fields>;
export type Shape = z.infer<typeof shape>;
export type ProviderFile = z.infer<typeof providerFile>;
export type Provider = ProviderFile & { readonly name: string };

/** A base URL that is answered by this server's own Track API, without a network in between. */
export const inProcess = "latchkey:";
