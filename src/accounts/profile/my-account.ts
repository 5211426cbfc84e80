import type { z } from "zod";
import type { Principal } from "../model/account.ts";
import {
  instantOf,
  type myAccountAnswer,
  type myAuditAnswer,
  type mySessionsAnswer,
} from "../wire/answers.ts";
import type { AccountDeps } from "../deps.ts";
import { deviceOf } from "../model/device.ts";
import type { Sessions } from "../sessions/sessions.ts";
import { pendingEmail } from "../store/codes.ts";
import { sessionsOf } from "../store/sessions.ts";
import { hasToken } from "../store/tokens.ts";

/** What people see of their own account: what it says of them, where they are signed in, and what happened lately. */

export const readMyAccount =
  (deps: Pick<AccountDeps, "store" | "clock">) =>
  async ({ account }: Principal): Promise<z.input<typeof myAccountAnswer>> => ({
    success: true,
    email: account.email,
    email_verified: account.emailVerifiedAt !== null,
    pending_email: (await pendingEmail(deps.store.query, account.id, deps.clock.now())) ?? null,
    display_name: account.displayName,
    timezone: account.timezone,
    created_at: instantOf(account.createdAt),
    has_token: await hasToken(deps.store.query, account.id),
  });

/** Those that live, the one seen last first. */
export const listMySessions =
  (deps: Pick<AccountDeps, "store" | "clock"> & { readonly sessions: Sessions }) =>
  async ({ account, sessionId }: Principal): Promise<z.input<typeof mySessionsAnswer>> => {
    const rows = await sessionsOf(deps.store.query, account.id);
    const sessions = rows
      .flatMap((row) => deps.sessions.living(row) ?? [])
      // This call is the latest use of the one it came with.
      .map((row) => (row.jti === sessionId ? { ...row, last_seen_at: deps.clock.now() } : row))
      .toSorted((one, other) => other.last_seen_at - one.last_seen_at || other.created_at - one.created_at)
      .map((row) => ({
        id: row.jti,
        current: row.jti === sessionId,
        device: deviceOf(row.user_agent),
        address: row.address,
        created_at: instantOf(row.created_at),
        last_seen_at: instantOf(row.last_seen_at),
        expires_at: instantOf(row.expires_at),
        remembered: row.remembered === 1,
      }));
    return { success: true, sessions };
  };

const auditPage = 50;

/** @param before shows what is older than the event of this number */
export const listMyAudit =
  (deps: Pick<AccountDeps, "audit">) =>
  async (
    { account }: Principal,
    before: number | undefined,
  ): Promise<z.input<ReturnType<typeof myAuditAnswer>>> => {
    const { records, next } = await deps.audit.of(account.id, { before, limit: auditPage });
    const events = records.map(({ id, at, event, outcome, channel, address, userAgent, details }) => ({
      id,
      at: instantOf(at),
      event,
      outcome,
      channel,
      address,
      device: deviceOf(userAgent),
      details,
    }));
    return { success: true, events, next: next ?? null };
  };
