/**
 * What this room writes down for owners and the operator; the environment's name, the key's and the connection's are in
 * the details. Names are never renamed: they are in the database.
 */
export const connectEvents = [
  "environment_created",
  "environment_changed",
  "environment_key_created",
  "environment_key_revoked",
  "integration_created",
  "integration_changed",
  "integration_deleted",
  "link_refused",
  "connection_linked",
  "connection_linked_anew",
  "connection_imported",
  "connection_changed",
  "connection_deleted",
  /** Once a minute, key and connection at most. */
  "credentials_read",
  "webhooks_changed",
  "webhook_secret_rotated",
] as const;

export type ConnectEvent = (typeof connectEvents)[number];

/** How callers showed who they are; an account's owner may call too, from a page of this server's own. */
export const connectChannels = [
  "session",
  "password",
  "token",
  "key",
  "connect_session",
  "cli",
  "none",
] as const;

export type ConnectAudit = {
  readonly event: ConnectEvent;
  readonly channel: (typeof connectChannels)[number];
};
