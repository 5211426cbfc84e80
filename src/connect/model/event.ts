import type { Connection, ConnectionState, Integration } from "./connection.ts";
import type { EndUser } from "./end-user.ts";

/** What an app is told of, by names of ours: the original's `operation` and `success` lump some of it together. */
export const webhookEvents = [
  "connection.created",
  "connection.reconnected",
  /** Somebody tried to link an account, and it did not work. */
  "connection.attempt_failed",
  /** The credentials stopped working, or may not be sent where the integration now points. */
  "connection.failing",
  "connection.recovered",
  "connection.deleted",
  /** With more connections than are told of one by one. */
  "integration.deleted",
] as const;

export type WebhookEvent = (typeof webhookEvents)[number];

export const isWebhookEvent = (text: string): text is WebhookEvent =>
  webhookEvents.some((event) => event === text);

/** The connection that something happened to, or that a failed attempt would have made. */
export type ToldConnection = Pick<
  Connection,
  | "environmentId"
  | "connectionId"
  | "integrationKey"
  | "provider"
  | "endUser"
  | "tags"
  | "webhookUrlOverride"
  | "account"
  | "stateReason"
> & {
  /** Null where there is no connection yet. */
  readonly state: ConnectionState | null;
};

/** In the words of the original's wire (contract nango §4.3). */
type ToldOfConnection = {
  readonly connection: ToldConnection;
} & (
  | { readonly operation: "creation" | "override" | "refresh" | "deletion"; readonly success: true }
  | {
      readonly operation: "creation" | "override" | "refresh";
      readonly success: false;
      /** How often it happened since it was told last; once, unless said. */
      readonly times?: number;
      /** `type` is a code of ours, such as `connection_test_failed`; the sentence is for people. */
      readonly error: { readonly type: string; readonly description: string };
    }
);

/** Ours: an integration is gone, with so many connections. */
type ToldOfIntegration = {
  readonly integration: Pick<Integration, "environmentId" | "uniqueKey" | "provider">;
  readonly connections: number;
  readonly operation: "deletion";
  readonly success: true;
};

export type Told = ToldOfConnection | ToldOfIntegration;

/** What a webhook is about, as far as its delivery asks. */
export const subjectOf = (
  told: Told,
): Pick<ToldConnection, "environmentId" | "provider" | "webhookUrlOverride"> =>
  "connection" in told ? told.connection : { ...told.integration, webhookUrlOverride: null };

export const eventOf = (told: Told): WebhookEvent => {
  if (!("connection" in told)) return "integration.deleted";
  switch (told.operation) {
    case "creation":
      return told.success ? "connection.created" : "connection.attempt_failed";
    case "override":
      return told.success ? "connection.reconnected" : "connection.attempt_failed";
    case "refresh":
      return told.success ? "connection.recovered" : "connection.failing";
    case "deletion":
      return "connection.deleted";
  }
};

const endUserBody = (endUser: EndUser | null): object | undefined =>
  endUser === null
    ? undefined
    : {
        endUserId: endUser.id,
        endUserEmail: endUser.email,
        organizationId: endUser.organization?.id,
        tags: endUser.tags ?? {},
      };

/** One text for one value, whoever built it: keys in order at every depth, as the original sends them. */
const sortedJson = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );

type Circumstances = {
  /** Of the event: the same at both addresses, while each delivery has an id of its own. */
  readonly id: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly environment: string;
  /** `unknown` when the provider is not in the catalogue any more. */
  readonly authMode: string;
};

/** The body as the original's clients know it, of a connection, and what it leaves out: `id`, `event`, `at`, `account`, `state`, `stateReason`. */
export const bodyOf = (told: Told, { id, at, environment, authMode }: Circumstances): string => {
  const { operation, success } = told;
  const ours = { id, event: eventOf(told), at: new Date(at).toISOString() };
  if (!("connection" in told)) {
    const { integration, connections } = told;
    const { uniqueKey: providerConfigKey, provider } = integration;
    const facts = { from: "nango", type: "integration", operation, success, providerConfigKey, provider };
    return sortedJson({ ...facts, authMode, environment, connections, ...ours });
  }
  const { connection } = told;
  return sortedJson({
    from: "nango",
    type: "auth",
    operation,
    success,
    connectionId: connection.connectionId,
    providerConfigKey: connection.integrationKey,
    provider: connection.provider,
    authMode,
    environment,
    tags: connection.tags,
    endUser: endUserBody(connection.endUser),
    ...(told.success ? {} : { error: told.error }),
    ...(told.success || (told.times ?? 1) === 1 ? {} : { times: told.times }),
    ...ours,
    account: connection.account,
    state: connection.state,
    stateReason: connection.stateReason,
  });
};
