import type { EndUser } from "./end-user.ts";

/** What an app set up once: which provider people link, and how. */
export type Integration = {
  readonly id: number;
  readonly environmentId: number;
  /** The app's name for it, `provider_config_key` on the wire. */
  readonly uniqueKey: string;
  readonly provider: string;
  readonly displayName: string | null;
  readonly forwardWebhooks: boolean;
  /** What is not secret: `base_url`, `keep_password`, and fields of the provider's `integration_config`. */
  readonly config: Readonly<Record<string, string | boolean>>;
  /** Secret fields of the configuration, opened by vault.ts. */
  readonly sealedConfig: string | null;
  readonly configVersion: number;
  readonly createdAt: number;
  readonly updatedAt: number;
};

/** `failing`: the provider refuses the credentials, or they may not be sent. `revoked`: the app said so. */
export type ConnectionState = "live" | "failing" | "revoked";

/** Whose account it is at the provider, as the provider itself told. */
export type ProviderAccount = {
  readonly id: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly workspace: string | null;
};

/** Somebody's account at a provider, linked: what is known of it, and its credentials, sealed. */
export type Connection = {
  /** The row's number: `id` on the wire. */
  readonly id: number;
  readonly environmentId: number;
  readonly integrationId: number;
  readonly integrationKey: string;
  readonly provider: string;
  /** What the app knows it by. */
  readonly connectionId: string;
  readonly shape: string;
  readonly sealed: string;
  readonly sealedVersion: number;
  readonly config: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly endUser: EndUser | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly webhookUrlOverride: string | null;
  readonly account: ProviderAccount | null;
  readonly state: ConnectionState;
  readonly stateReason: string | null;
  /** Where the credentials were accepted, and may be sent. */
  readonly origin: string;
  readonly lastVerifiedAt: number | null;
  readonly lastUsedAt: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
};
