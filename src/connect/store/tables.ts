import type { Generated, Kysely, Selectable } from "kysely";
import type { KernelTables } from "../../kernel/db/tables.ts";

/** The tables of the connect room, as migrations/ makes them. JSON columns are text. */

type EnvironmentTable = {
  id: Generated<number>;
  name: string;
  connect_origins: string;
  appearance: string;
  created_at: number;
};

type EnvironmentKeyTable = {
  id: Generated<number>;
  environment_id: number;
  name: string;
  digest: string;
  scopes: string;
  created_at: number;
  last_used_at: number | null;
};

type IntegrationTable = {
  id: Generated<number>;
  environment_id: number;
  unique_key: string;
  provider: string;
  display_name: string | null;
  forward_webhooks: number;
  config: string;
  sealed_config: string | null;
  config_version: number;
  created_at: number;
  updated_at: number;
  deleted_at: number | null;
};

type ProviderWaitTable = { integration_id: number; origin: string; until: number };

export type ConnectionTable = {
  id: Generated<number>;
  environment_id: number;
  integration_id: number;
  connection_id: string;
  shape: string;
  sealed: string;
  sealed_version: number;
  config: string;
  metadata: string;
  end_user: string | null;
  end_user_id: string | null;
  organization_id: string | null;
  webhook_url_override: string | null;
  search_text: string;
  account_id: string | null;
  account_name: string | null;
  account_email: string | null;
  account_workspace: string | null;
  state: string;
  state_reason: string | null;
  origin: string;
  last_verified_at: number | null;
  last_used_at: number | null;
  created_at: number;
  updated_at: number;
};

type ConnectionTagTable = { connection_row: number; environment_id: number; key: string; value: string };

type ConnectSessionTable = {
  id: Generated<number>;
  digest: string;
  environment_id: number;
  terms: string;
  connection_row: number | null;
  tries: number;
  created_at: number;
  expires_at: number;
  finished_at: number | null;
};

type WebhookSettingsTable = {
  environment_id: number;
  primary_url: string | null;
  secondary_url: string | null;
  events: string;
  sealed_secret: string;
  secret_version: number;
  sealed_former_secret: string | null;
  former_until: number | null;
  updated_at: number;
};

type WebhookDeliveryTable = {
  id: string;
  environment_id: number;
  event: string;
  /** Its origin: the rest of an address may be a secret. */
  url: string;
  sealed: string | null;
  attempts: number;
  due_at: number;
  leased_until: number;
  state: string;
  last_status: number | null;
  last_error: string | null;
  created_at: number;
  ended_at: number | null;
};

export type ConnectTables = {
  environments: EnvironmentTable;
  environment_keys: EnvironmentKeyTable;
  integrations: IntegrationTable;
  provider_waits: ProviderWaitTable;
  connections: ConnectionTable;
  connection_tags: ConnectionTagTable;
  connect_sessions: ConnectSessionTable;
  webhook_settings: WebhookSettingsTable;
  webhook_deliveries: WebhookDeliveryTable;
};

export type EnvironmentRow = Selectable<EnvironmentTable>;
export type EnvironmentKeyRow = Selectable<EnvironmentKeyTable>;
export type IntegrationRow = Selectable<IntegrationTable>;
export type ConnectionRow = Selectable<ConnectionTable>;
export type ConnectSessionRow = Selectable<ConnectSessionTable>;
export type WebhookDeliveryRow = Selectable<WebhookDeliveryTable>;

export type Queries = Kysely<KernelTables>;
export const tables = (query: Queries): Kysely<KernelTables & ConnectTables> =>
  query.$extendTables<ConnectTables>();

/** A name with a NUL in it is nobody's: PostgreSQL refuses even to look for one. */
export const isStorable = (name: string): boolean => !name.includes("\0");
