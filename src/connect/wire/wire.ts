import { z } from "zod";
import type { RefusalKind } from "../../kernel/errors.ts";
import { jsonType } from "../../kernel/http/content-types.ts";
import { plainWire, sentenceIn, type Voice, type Wire } from "../../kernel/http/wire.ts";
import { refusals } from "../model/refusals.ts";
import { noQuery } from "./input.ts";

/** Codes that the original has other names for (recorded). */
const codes = new Map<RefusalKind, string>([
  [refusals.input_invalid, "invalid_body"],
  [refusals.json_invalid, "invalid_json"],
  [refusals.content_type_unsupported, "invalid_content_type"],
  [refusals.rate_limited, "too_many_request"],
  [refusals.internal, "server_error"],
]);

const errorAnswer = z.object({
  error: z.object({
    code: z.string(),
    message: z.string().describe("What is wrong, in one sentence."),
    errors: z
      .array(z.object({ code: z.string(), message: z.string(), path: z.array(z.string()) }))
      .optional()
      .describe("Every field that is wrong."),
    payload: z.record(z.string(), z.unknown()).optional(),
  }),
});

/** What both SDKs read: always a code and a message (contract nango §1.2, §1.11). */
const voice: Voice = {
  codeOf: (kind) => codes.get(kind) ?? kind.code,
  sentenceOf: ({ text }) => text,
  tell: (refusal) => {
    const { kind, issues, payload } = refusal;
    const errors = issues.map(({ field, rule, message }) => ({
      code: rule,
      message,
      path: field === "" ? [] : field.split("."),
    }));
    const error = {
      code: voice.codeOf(kind),
      message: sentenceIn(voice, refusal),
      ...(errors.length > 0 ? { errors } : {}),
      ...(payload === undefined ? {} : { payload }),
    };
    return { type: jsonType, body: JSON.stringify({ error }) };
  },
  schema: errorAnswer,
};

/** Nango's API. Pages of any app may call, with a key or a session token that they hold; no cookie counts here. */
export const connectWire: Wire = {
  title: "Connect",
  about:
    'Accounts that people link: sessions, credentials, the proxy. Nango\'s wire: refusals are `{"error":{"code","message"}}`.',
  bodyLimit: 1024 * 1024,
  standing: {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "Retry-After, X-Request-Id",
  },
  requestIdNames: plainWire.requestIdNames,
  query: noQuery,
  // Recorded (contract nango §1.11).
  preflight: {
    "access-control-allow-methods": "GET,HEAD,PUT,PATCH,POST,DELETE,PROPFIND,REPORT",
    "access-control-allow-headers":
      "Authorization, Content-Type, Accept, Origin, X-Requested-With, Nango-Activity-Log-Id, Nango-Is-Dry-Run, Nango-Is-Sync, Provider-Config-Key, Connection-Id, Retries, Retry-On, Base-Url-Override, Sentry-Trace, Baggage",
    "access-control-max-age": "600",
  },
  voice,
};
