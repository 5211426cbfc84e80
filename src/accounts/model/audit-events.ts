/** What this room writes down for owners and the operator. Names are never renamed: they are in the database. */
export const accountEvents = [
  "sign_up",
  "sign_in",
  "sign_out",
  "session_ended",
  "sessions_ended",
  "token_replaced",
  "token_revoked",
  "password_changed",
  "password_refused",
  /** Not even tried, because of earlier ones; once a minute and address at most. */
  "password_throttled",
  "reset_requested",
  "reset_confirmed",
  "email_change_requested",
  "email_change_dropped",
  "email_changed",
  "verification_requested",
  "email_verified",
  "account_closed",
  "close_undone",
  "account_erased",
  "account_locked",
  "account_unlocked",
  "signing_key_rotated",
  "signing_key_revoked",
  /** A password was used through Basic; once an hour and account at most. */
  "basic_password",
] as const;

export type AccountEvent = (typeof accountEvents)[number];

/** How callers showed who they are. */
export const accountChannels = ["session", "password", "token", "code", "cli", "none"] as const;

export type AccountAudit = {
  readonly event: AccountEvent;
  readonly channel: (typeof accountChannels)[number];
};
