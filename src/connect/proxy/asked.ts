import type { IncomingHttpHeaders } from "node:http";
import { z } from "zod";
import { Refusal } from "../../kernel/errors.ts";
import { hasBody } from "../../kernel/http/bodies/unread-rest.ts";
import { ownBaseUrl, type RequestParts } from "../catalogue/request-parts.ts";
import { flag, parsePart } from "../wire/input.ts";
import { refusals } from "../model/refusals.ts";

/** What a caller of the proxy asks for by headers, and what of the call goes on (contract nango §1.10). */

export type Asked = {
  readonly integrationKey: string;
  readonly connectionId: string;
  readonly retries: number;
  /** Statuses to try again at, besides the usual ones. */
  readonly retryOn: ReadonlySet<number>;
  readonly baseUrlOverride: URL | undefined;
  /** The caller wants the body as it is, and not compressed. */
  readonly decompress: boolean;
  /** The caller's own headers go along when the provider sends to another origin. Credentials never do. */
  readonly forwardHeaders: boolean;
};

/** More than that is taken, and is as much as this. */
const mostRetries = 10;

/** The original's SDK sends headers that are not used with an empty value. */
const optional = <Value>(schema: z.ZodType<Value>) =>
  z.union([z.literal("").transform(() => undefined), schema]).optional();

const schema = z.object({
  "provider-config-key": z.string().min(1).describe("The integration's key"),
  "connection-id": z.string().min(1).max(255).describe("The connection"),
  retries: optional(z.string().regex(/^\d{1,9}$/, "must be a whole number")).describe(
    "How often the call is made again at most, 10 of them: after no answer, 429 and 5xx",
  ),
  "retry-on": optional(
    z.string().regex(/^\d{1,9}(, ?\d{1,9}){0,63}$/, "must be statuses such as 409,425"),
  ).describe("Further statuses to try again at, with commas between. 401 is never tried again"),
  "base-url-override": optional(z.string().max(2048)).describe(
    "Another address than the provider's. Another origin needs a key that may read credentials",
  ),
  decompress: flag.describe("`true` asks the provider for a body that is not compressed"),
  "forward-headers-on-redirect": flag.describe(
    "`true`: the `Nango-Proxy-` headers go along when the provider sends to another origin. Credentials never do",
  ),
});

/** All that is read of the headers, for the documents. */
export const askedHeaders = schema.extend({
  "nango-proxy-*": z
    .string()
    .describe("Goes to the provider without `Nango-Proxy-`. No other header does, but those of the body")
    .optional(),
});

const overrideOf = (text: string): URL => {
  try {
    return ownBaseUrl(text);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const message = "must be an address like https://api.example.com, without user, query and fragment";
    throw new Refusal(refusals.invalid_headers, {
      text: `base-url-override: ${message}`,
      issues: [{ field: "base-url-override", rule: "invalid_format", message }],
    });
  }
};

const noStatuses: ReadonlySet<number> = new Set();

/** @throws Refusal invalid_headers */
export const askedOf = (headers: IncomingHttpHeaders): Asked => {
  const given = parsePart(schema, headers, refusals.invalid_headers);
  const { retries, "retry-on": retryOn, "base-url-override": override } = given;
  return {
    integrationKey: given["provider-config-key"],
    connectionId: given["connection-id"],
    retries: retries === undefined ? 0 : Math.min(mostRetries, Number(retries)),
    retryOn: retryOn === undefined ? noStatuses : new Set(retryOn.split(",").map(Number)),
    baseUrlOverride: override === undefined ? undefined : overrideOf(override),
    decompress: given.decompress,
    forwardHeaders: given["forward-headers-on-redirect"],
  };
};

/** Path and query behind `/proxy/`, as they were sent. @param target of the request, as it was sent */
export const behindProxy = (target: string): string => {
  // Some clients name the whole address (RFC 9112 §3.2.2).
  const start = target.startsWith("/") ? 0 : target.indexOf("/", target.indexOf("://") + 3);
  const [, behind = ""] = /^\/[^/?]*\/*(.*)$/s.exec(start < 0 ? "" : target.slice(start)) ?? [];
  return behind;
};

type Headers = Readonly<Record<string, string>>;

export type ForwardedHead = {
  readonly headers: Headers;
  /** Win over the others, and stay with the first origin. */
  readonly add: Headers;
};

const prefix = "nango-proxy-";

/** Without them some providers refuse a call. */
const standing: Headers = { accept: "*/*", "user-agent": "Latchkey" };
/** These tell how a body is to be read, which goes on byte by byte. */
const ofBody = ["content-type", "content-encoding", "content-length"] as const;

const callersOf = (headers: IncomingHttpHeaders): Record<string, string> | undefined => {
  let found: Record<string, string> | undefined;
  for (const name in headers) {
    const value = headers[name];
    if (!name.startsWith(prefix) || name.length === prefix.length || typeof value !== "string") continue;
    found ??= {};
    found[name.slice(prefix.length)] = value;
  }
  return found;
};

/**
 * The head of the call as the provider gets it. A caller's header wins over one of the provider's file, Authorization
 * included; only the User-Agent of the file is not theirs to change.
 */
export const forwardedHead = (
  incoming: IncomingHttpHeaders,
  { decompress, forwardHeaders }: Pick<Asked, "decompress" | "forwardHeaders">,
  injected: RequestParts["headers"],
): ForwardedHead => {
  const callers = callersOf(incoming);
  const withBody = hasBody(incoming);
  if (!callers && !withBody && !decompress) return { headers: standing, add: injected };

  const headers: Record<string, string> = { ...standing };
  if (withBody) {
    for (const name of ofBody) {
      const value = incoming[name];
      if (value !== undefined) headers[name] = value;
    }
  }
  if (callers) {
    if ("user-agent" in injected) delete callers["user-agent"];
    if (decompress) delete callers["accept-encoding"];
  }
  if (decompress) headers["accept-encoding"] = "identity";
  if (!callers) return { headers, add: injected };
  if (!forwardHeaders) return { headers, add: { ...injected, ...callers } };
  const rest = Object.entries(injected).filter(([name]) => !Object.hasOwn(callers, name));
  return { headers: { ...headers, ...callers }, add: Object.fromEntries(rest) };
};
