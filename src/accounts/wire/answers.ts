import { z } from "zod";
import type { Answer } from "../../kernel/http/route.ts";
import type { Entered } from "../sessions/sign-in.ts";
import { auditRecord, type AuditVocabulary } from "../../kernel/telemetry/audit.ts";

/** The bodies of the good answers of this room. Each begins with `"success": true`. */

const instant = z.string().meta({ format: "date-time", examples: ["2026-03-04T05:06:07.000Z"] });
const emailText = z.string().meta({ format: "email", examples: ["ada@example.com"] });
const device = z.string().meta({ examples: ["Firefox on Linux"] });
const address = z
  .string()
  .nullable()
  .meta({ examples: ["203.0.113.7"] });

const good = z.literal(true);

/** What every good ending of the Accounts API says, and many no more. */
export const successAnswer = z.strictObject({ success: good });

/** The body itself. */
export const success = { success: true };

/** A row's good ending that says no more. */
export const done = (means: string) => ({ means, schema: successAnswer });

/** With the cookie of a session that begins. */
export const welcome = (entered: Entered | undefined, json: object = success): Answer =>
  entered === undefined
    ? { json }
    : { json, cookie: entered.session, cookies: entered.device === undefined ? [] : [entered.device] };

export const myAccountAnswer = z.strictObject({
  success: good,
  email: emailText,
  email_verified: z.boolean(),
  pending_email: emailText
    .nullable()
    .describe("Where the account moves when the code mailed there comes back."),
  display_name: z.string(),
  timezone: z.string().meta({ examples: ["Europe/Tallinn"] }),
  created_at: instant,
  has_token: z.boolean(),
});

const session = z.strictObject({
  id: z.string(),
  current: z.boolean().describe("Whether this call came with it."),
  device,
  address,
  created_at: instant,
  last_seen_at: instant,
  expires_at: instant,
  remembered: z.boolean(),
});

export const mySessionsAnswer = z.strictObject({ success: good, sessions: z.array(session) });

export const endedAnswer = z.strictObject({
  success: good,
  ended: z.int().min(0).describe("How many sessions were ended."),
});

/** @param vocabulary of all rooms: what others did may be of the account too */
export const myAuditAnswer = (vocabulary: AuditVocabulary) => {
  const { event, outcome, channel, details } = auditRecord(vocabulary).shape;
  return z.strictObject({
    success: good,
    events: z.array(
      z.strictObject({ id: z.int(), at: instant, event, outcome, channel, address, device, details }),
    ),
    next: z.int().nullable().describe("The `before` of the next page; null on the last."),
  });
};

const tokenReplaced = z
  .boolean()
  .describe("Whether the API token was replaced: programs that have the former one need the new one.");

/** Of whoever proved by a mailed code to be the owner. */
export const recoveredAnswer = z.strictObject({ success: good, token_replaced: tokenReplaced });

export const confirmedAnswer = z.strictObject({
  success: good,
  email: emailText,
  token_replaced: tokenReplaced,
});

export const closedAnswer = z.strictObject({
  success: good,
  undo_until: instant.nullable().describe("Until when it can be taken back; null when it is erased already."),
});

/** A moment as the answers have it. @param at epoch milliseconds */
export const instantOf = (at: number): string => new Date(at).toISOString();
