import { z } from "zod";

/** What the Connect wire answers, for the documents and the pages' types. */

export const newSessionAnswer = z.object({
  data: z.object({ token: z.string(), connect_link: z.string(), expires_at: z.string() }),
});

const organization = z.object({ id: z.string(), display_name: z.string().nullable() });

export const endUserAnswer = z.object({
  id: z.string(),
  display_name: z.string().nullable(),
  email: z.string().nullable(),
  tags: z.record(z.string(), z.string()).nullable(),
  organization: organization.nullable(),
});

const colours = z.object({ primary: z.string() });

export const sessionAnswer = z.object({
  data: z.object({
    endUser: endUserAnswer.nullable(),
    connectUISettings: z.object({
      showWatermark: z.boolean(),
      defaultTheme: z.enum(["light", "dark", "system"]),
      theme: z.object({ light: colours, dark: colours }),
    }),
    allowed_integrations: z.array(z.string()).optional(),
    integrations_config_defaults: z
      .record(z.string(), z.object({ connection_config: z.record(z.string(), z.string()) }))
      .optional(),
    overrides: z.record(z.string(), z.object({ docs_connect: z.string() })).optional(),
    isReconnecting: z.literal(true).optional(),
    finished: z.boolean(),
  }),
});

export const accountAnswer = z.object({
  id: z.string(),
  name: z.string().nullable(),
  email: z.string().nullable(),
  workspace: z.string().nullable(),
});

export const linkedAnswer = z.object({
  connectionId: z.string(),
  providerConfigKey: z.string(),
  account: accountAnswer.nullable(),
});

const fieldValues = z.record(z.string(), z.union([z.string(), z.boolean()]));

const integrationShown = z.object({
  unique_key: z.string(),
  provider: z.string(),
  display_name: z.string(),
  logo: z.string(),
  /** Of the original's OAuth integrations: always null. */
  webhook_url: z.null().optional(),
  credentials: z.null().optional(),
  forward_webhooks: z.boolean(),
  created_at: z.string(),
  updated_at: z.string(),
  /** What is not secret of it. */
  integration_config: fieldValues.optional(),
});

export const integrationAnswer = z.object({ data: integrationShown });
export const integrationsAnswer = z.object({ data: z.array(integrationShown) });

export const doneAnswer = z.object({ success: z.literal(true) });

const connectionFacts = {
  id: z.number(),
  connection_id: z.string(),
  provider_config_key: z.string(),
  provider: z.string(),
  errors: z.array(z.object({ type: z.literal("auth"), log_id: z.string() })),
  end_user: endUserAnswer.nullable(),
  tags: z.record(z.string(), z.string()),
  metadata: z.record(z.string(), z.unknown()),
} as const;

const connectionHealth = {
  account: accountAnswer.nullable(),
  state: z.enum(["live", "failing", "revoked"]),
  state_reason: z.string().nullable(),
  last_verified_at: z.string().nullable(),
} as const;

export const connectionsAnswer = z.object({
  connections: z.array(z.object({ ...connectionFacts, created: z.string(), ...connectionHealth })),
});

/** Empty for a key that may not read credentials, and where there are none. */
const credentialsAnswer = z.union([
  z.object({ type: z.literal("BASIC"), username: z.string(), password: z.string() }),
  z.object({ type: z.literal("API_KEY"), apiKey: z.string() }),
  z.strictObject({}),
]);

export const connectionAnswer = z.object({
  ...connectionFacts,
  connection_config: z.record(z.string(), z.string()),
  webhook_url_override: z.string().nullable(),
  created_at: z.string(),
  updated_at: z.string(),
  last_fetched_at: z.string(),
  credentials: credentialsAnswer,
  ...connectionHealth,
});

export const metadataAnswer = z.object({
  connection_id: z.union([z.string(), z.array(z.string())]),
  provider_config_key: z.string(),
  metadata: z.record(z.string(), z.unknown()),
});
