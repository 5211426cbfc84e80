import type { Incoming } from "../../kernel/http/incoming.ts";
import type { AuditEvent } from "../../kernel/telemetry/audit.ts";
import type { ConnectAudit, ConnectEvent } from "../model/audit-events.ts";
import type { Environment, KeyHolder } from "../model/environment.ts";

/** Who changes something of an environment: an app by its key, somebody with an account here, or the operator. */
export type Actor =
  | { readonly channel: "key"; readonly keyName: string; readonly address: string }
  | { readonly channel: "session" | "password" | "token"; readonly address: string }
  | { readonly channel: "cli" };

export const actorOf = ({ keyName }: KeyHolder, incoming: Incoming): Actor => ({
  channel: "key",
  keyName,
  address: incoming.client.address,
});

/** An app, where a use case needs its key as a whole. */
export type KeyCaller = {
  readonly holder: KeyHolder;
  /** Where it calls from. */
  readonly address: string;
};

export const keyCallerOf = (holder: KeyHolder, incoming: Incoming): KeyCaller => ({
  holder,
  address: incoming.client.address,
});

type Subject = {
  readonly integration?: string;
  readonly connection?: string;
  /** How many went with it. */
  readonly connections?: number;
};

/** What the audit says of a change that was made. */
export const changeEvent = (
  event: ConnectEvent,
  environment: Environment,
  actor: Actor,
  subject: Subject = {},
): AuditEvent<ConnectAudit> => ({
  event,
  outcome: "done",
  channel: actor.channel,
  ...("address" in actor ? { address: actor.address } : {}),
  details: {
    environment: environment.name,
    ...(actor.channel === "key" ? { key: actor.keyName } : {}),
    ...subject,
  },
});
