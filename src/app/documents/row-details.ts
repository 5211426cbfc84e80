import { refusals, type RefusalCode } from "#kernel/errors.ts";
import type { Route } from "#kernel/http/route.ts";
import { connectDetails, type Details } from "./connect-row-details.ts";

/** What the documents say of a row beyond the row itself: how it can be refused, and which query it reads. */

/** What only the use case behind a row knows. A test holds that every name here is a row. */
export const ownDetails: Readonly<Record<string, Details>> = {
  "POST /api/signup": { refuses: ["sign_up_throttled", "busy"] },
  "POST /api/sessions": {
    refuses: ["credentials_wrong", "email_unverified", "token_makes_no_session", "login_throttled", "busy"],
    readsBasic: true,
  },
  "POST /api/me/close_account/undo/{code}": { refuses: ["code_refused", "code_throttled"] },
  "GET /api/me/audit": {
    query: { before: "The `next` of the page before: shows what is older" },
    refuses: ["input_invalid"],
  },
  "DELETE /api/me/sessions/{session_id}": { refuses: ["not_found"] },
  "POST /api/me/email_change/request": { refuses: ["sign_up_throttled", "mail_throttled"] },
  "POST /api/me/email_verification/request": { refuses: ["code_throttled"] },
  "POST /api/me/password_reset/request": { refuses: ["code_throttled"] },
  "POST /api/me/password_reset/confirm/{code}": { refuses: ["code_refused", "code_throttled", "busy"] },
  "POST /api/me/email_verification/confirm/{code}": {
    refuses: ["code_refused", "code_throttled", "input_invalid"],
  },
  "GET /api/v9/me": { query: { with_related_data: "`true` adds what belongs to the caller" } },
  "PUT /api/v9/me": { refuses: ["sign_up_throttled", "mail_throttled"] },
  "GET /api/v9/workspaces/{workspace_id}": { refuses: ["not_found"] },
  ...connectDetails,
};

export const detailsOf = ({ method, path }: Route): Details => ownDetails[`${method} ${path}`] ?? {};
const isGuarded = (row: Route): boolean => row.admits !== "anyone";
const isGuardedByAccount = (row: Route): boolean => isGuarded(row) && row.wire !== "connect";
const isCode = (text: string): text is RefusalCode => text in refusals;
const isWrite = (row: Route): boolean => row.method !== "GET";

type Group = {
  /** For the reference: which calls. */
  readonly calls: string;
  readonly has: (row: Route) => boolean;
  readonly refuses: readonly RefusalCode[];
};

/** What the original has and this server has not: rows that only say so. */
const isAbsent = ({ summary, wire }: Route): boolean =>
  wire === "connect" && summary.startsWith("Not supported: ");

const takesKey = ({ admits }: Route): boolean =>
  admits === "API key" || admits === "API key or connect session";
const takesSession = ({ admits }: Route): boolean =>
  admits === "connect session" || admits === "API key or connect session";

/** What rows of a kind have in common. */
export const refusalGroups: readonly Group[] = [
  { calls: "Every call", has: () => true, refuses: ["internal", "store_unavailable"] },
  {
    calls: "Calls of the Connect wire that need a key or a connect session",
    has: (row) => isGuarded(row) && row.wire === "connect",
    refuses: ["missing_auth_header", "malformed_auth_header"],
  },
  {
    calls: "Of these, the ones that take a key",
    has: takesKey,
    refuses: ["unknown_account", "forbidden"],
  },
  {
    calls: "Of these, the ones that take a connect session",
    has: takesSession,
    refuses: ["invalid_connect_session_token_format", "unknown_connect_session_token"],
  },
  {
    calls: "Calls of the other wires that need credentials",
    has: isGuardedByAccount,
    refuses: [
      ...(["credentials_missing", "credentials_wrong", "session_not_current", "host_unknown"] as const),
      ...(["email_unverified", "login_throttled", "busy"] as const),
    ],
  },
  {
    calls: "Of these, the ones that refuse tokens",
    has: ({ admits }) => admits === "cookie or password",
    refuses: ["password_needed"],
  },
  {
    calls: "Calls of the Track API that need credentials",
    has: (row) => isGuarded(row) && row.wire === "track",
    refuses: ["quota_exceeded", "rate_limited"],
  },
  {
    calls: "Writes with credentials of an account, and whatever sets a cookie",
    has: (row) => row.sameSite === true || (isGuardedByAccount(row) && isWrite(row)),
    refuses: ["cross_site"],
  },
  { calls: "Calls of the original that are not here", has: isAbsent, refuses: ["not_supported"] },
  {
    // A body must be JSON also where nothing is asked of it.
    calls: "Writes",
    has: (row) => isWrite(row) && !isAbsent(row) && row.streams !== true,
    refuses: [
      ...(["json_invalid", "request_malformed", "encoding_invalid"] as const),
      ...(["body_too_large", "content_type_unsupported", "encoding_unsupported"] as const),
    ],
  },
  {
    calls: "Calls with fields in the body",
    has: ({ bodySchema }) => bodySchema !== undefined,
    refuses: ["input_invalid"],
  },
];

/** What a row refuses beyond its groups. */
export const ownRefusalsOf = (row: Route): readonly RefusalCode[] => detailsOf(row).refuses ?? [];

/** Every code that a row can answer, in the order of the table of refusals. */
export const refusalsOf = (row: Route): readonly RefusalCode[] => {
  const groups = refusalGroups.filter(({ has }) => has(row));
  const codes = new Set([...groups.flatMap(({ refuses }) => refuses), ...ownRefusalsOf(row)]);
  return Object.keys(refusals)
    .filter(isCode)
    .filter((code) => codes.has(code));
};
