import type { Connection, ConnectionState } from "./connection.ts";
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
export type Told = {
  readonly connection: ToldConnection;
} & (
  | { readonly operation: "creation" | "override" | "refresh" | "deletion"; readonly success: true }
  | {
      readonly operation: "creation" | "override" | "refresh";
      readonly success: false;
      /** `type` is a code of ours, such as `connection_test_failed`; the sentence is for people. */
      readonly error: { readonly type: string; readonly description: string };
    }
);

export const eventOf = (told: Told): WebhookEvent => {
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

/** The body as the original's clients know it, and what it leaves out: `id`, `event`, `at`, `account`, `state`, `stateReason`. */
export const bodyOf = (told: Told, { id, at, environment, authMode }: Circumstances): string => {
  const { connection, operation, success } = told;
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
    id,
    event: eventOf(told),
    at: new Date(at).toISOString(),
    account: connection.account,
    state: connection.state,
    stateReason: connection.stateReason,
  });
};
