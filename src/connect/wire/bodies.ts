import { z } from "zod";
import { isLongerThanPasswords, longestPassword } from "../../kernel/crypto/passwords/password-text.ts";
import { mayBeEmailAddress } from "../../kernel/text/email-address.ts";
import { connectOrigins } from "../model/connect-origins.ts";
import type { EndUser } from "../model/end-user.ts";

/** The bodies of the Connect wire (contract nango §1.3, §1.4, §1.6). Fields that are not named here are refused. */

/** One line of text: PostgreSQL takes no NUL, and nobody means the other control characters. */
const line = (least: number, most: number) =>
  z
    .string()
    .min(least)
    .max(most)
    .refine((text) => !/\p{Cc}/u.test(text), "has a control character in it");

/** What tags are called, where they are made and where they are asked for. */
export const tagKey = z
  .string()
  .max(64)
  .regex(/^[a-zA-Z][a-zA-Z0-9_\-./]*$/, "must begin with a letter, and have letters, digits and _-./ only");

/** The grammar of everybody else's addresses: providers and apps know their people by them. */
const emailAddress = z.email({ pattern: mayBeEmailAddress });

/** As long as a password here may be, and counted in the same way. */
const credential = z
  .string()
  .meta({ maxLength: longestPassword })
  .check(({ value, issues }) => {
    if (!isLongerThanPasswords(value)) return;
    issues.push({
      code: "too_big",
      origin: "string",
      maximum: longestPassword,
      inclusive: true,
      input: value,
    });
  });

const credentialKey = credential.min(1);

/** Credentials as the forms of the wire have them. */
export const givenCredentials = {
  username: credential,
  password: credential,
  apiKey: credentialKey,
} as const;

/** At most ten, keys in lower case. */
const tags = z
  .record(tagKey, line(1, 255))
  .check((context) => {
    const keys = Object.keys(context.value).map((key) => key.toLowerCase());
    if (keys.length > 10) {
      context.issues.push({ code: "custom", message: "at most 10 tags", input: context.value });
    }
    if (new Set(keys).size < keys.length) {
      context.issues.push({
        code: "custom",
        message: "two tags differ in their capitals only",
        input: context.value,
      });
    }
    const email = Object.entries(context.value).find(([key]) => key.toLowerCase() === "end_user_email")?.[1];
    if (email !== undefined && !emailAddress.safeParse(email).success) {
      context.issues.push({
        code: "custom",
        message: "end_user_email must be an e-mail address",
        input: email,
        path: ["end_user_email"],
      });
    }
  })
  .transform((given) =>
    Object.fromEntries(Object.entries(given).map(([key, value]) => [key.toLowerCase(), value])),
  );

const endUser = z.strictObject({
  id: line(1, 255),
  email: emailAddress.min(5).max(255).optional(),
  display_name: line(0, 255).optional(),
  tags: tags.optional(),
});

const organization = z.strictObject({
  id: line(1, 255),
  display_name: line(0, 255).optional(),
});

export const integrationKey = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[a-zA-Z0-9~:.@ _-]+$/, "has a character that no integration key has");

/** Of a parameter that names an integration, for the documents. */
export const whichIntegration = "The integration's key";

/** The wide set of the original: its users keep JSON and addresses in it. */
export const connectionId = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[a-zA-Z0-9,.;:=+~[\]|@${}"'\\/_ -]+$/, "has a character that no connection id has");

/** What is behind an id in the paths of this wire: a connection is not to be made that such a path is the name of. */
const subPath = /.\/(config|metadata)$/;

const newConnectionId = connectionId.refine(
  (id) => !subPath.test(id),
  "ends like the path of something else: /config or /metadata",
);

/** No `javascript:`, and nothing else that leads to no place of the web. */
const webAddress = z.url({ protocol: /^https?$/ });

const webhookUrl = z.union([webAddress, z.literal("")]);

const perIntegration = <Value extends z.ZodType>(value: Value) => z.record(integrationKey, value);

const sessionExtras = {
  integrations_config_defaults: perIntegration(
    z.strictObject({
      user_scopes: z.string().optional(),
      authorization_params: z.record(z.string(), z.string()).optional(),
      connection_config: z.record(z.string(), z.string().max(1024)).optional(),
    }),
  ).optional(),
  overrides: perIntegration(z.strictObject({ docs_connect: webAddress.optional() })).optional(),
  webhook_url_override: webhookUrl.optional(),
  /** Ours: origins of apps that may open the form with this session, of those that the environment allows. */
  allowed_origins: connectOrigins.optional(),
  /** Ours: where a form that was opened as a link leads back to. Its origin is one of the environment's. */
  redirect_url: webAddress.max(2048).optional(),
} as const;

export const connectSessionBody = z
  .strictObject({
    end_user: endUser.optional(),
    organization: organization.optional(),
    tags: tags.optional(),
    allowed_integrations: z.array(integrationKey).max(100).optional(),
    ...sessionExtras,
  })
  .check((context) => {
    if (context.value.end_user !== undefined || context.value.tags !== undefined) return;
    context.issues.push({
      code: "invalid_type",
      expected: "object",
      message: "Invalid input: expected object, received undefined",
      input: undefined,
      path: ["end_user"],
    });
  });

export type ConnectSessionBody = z.output<typeof connectSessionBody>;

export const reconnectBody = z.strictObject({
  connection_id: connectionId,
  integration_id: integrationKey,
  end_user: endUser.optional(),
  organization: organization.optional(),
  tags: tags.optional(),
  ...sessionExtras,
});

export type ReconnectBody = z.output<typeof reconnectBody>;

/** Both of a body's ways to say who is linking. */
export const endUserOf = (body: {
  readonly end_user?: z.output<typeof endUser> | undefined;
  readonly organization?: z.output<typeof organization> | undefined;
}): EndUser | null =>
  body.end_user === undefined
    ? null
    : {
        id: body.end_user.id,
        email: body.end_user.email ?? null,
        displayName: body.end_user.display_name ?? null,
        tags: body.end_user.tags ?? null,
        organization:
          body.organization === undefined
            ? null
            : { id: body.organization.id, displayName: body.organization.display_name ?? null },
      };

const integrationConfig = (value: z.ZodType<string | boolean | null>) => z.record(z.string().max(64), value);

const configValue = z.union([z.string().max(2048), z.boolean()]);

export const newIntegrationBody = z.strictObject({
  provider: z.string().min(1).max(255),
  unique_key: integrationKey,
  display_name: line(1, 255).optional(),
  forward_webhooks: z.boolean().optional(),
  /** `base_url`, `keep_password`, and the fields that the provider asks for once an integration. */
  integration_config: integrationConfig(configValue).optional(),
});

export type NewIntegrationBody = z.output<typeof newIntegrationBody>;

export const changedIntegrationBody = z.strictObject({
  unique_key: integrationKey.optional(),
  display_name: line(1, 255).optional(),
  forward_webhooks: z.boolean().optional(),
  /** What is not named stays; null takes a value away. */
  integration_config: integrationConfig(configValue.nullable()).optional(),
});

export type ChangedIntegrationBody = z.output<typeof changedIntegrationBody>;

/** As the wire tells them apart; for a provider's other fields there is no type of their own. */
const credentials = z.discriminatedUnion(
  "type",
  [
    z.strictObject({ type: z.literal("BASIC"), username: credential, password: credential }),
    z.strictObject({ type: z.literal("API_KEY"), apiKey: credentialKey }),
    z.strictObject({ type: z.literal("NONE") }),
  ],
  {
    error: ({ code, input }) => {
      if (code !== "invalid_union") return undefined;
      const type = typeof input === "object" && input !== null && "type" in input ? input.type : undefined;
      return typeof type === "string" && /^(OAUTH|MCP_OAUTH)/.test(type)
        ? "Latchkey does not keep credentials of OAuth: it has BASIC, API_KEY and NONE"
        : "must be BASIC, API_KEY or NONE";
    },
  },
);

/** Beside the fields of the provider's file, whatever an app that moves here had in it. */
const connectionConfig = z
  .record(z.string().max(64), z.string().max(1024))
  .refine((config) => Object.keys(config).length <= 100, "at most 100 fields");

export const changedConnectionBody = z.strictObject({
  /** Checked with the provider first; refused ones change nothing. */
  credentials: credentials.optional(),
  end_user: endUser.optional(),
  /** The whole set: those that are not named are gone. */
  tags: tags.optional(),
  webhook_url_override: webhookUrl.optional(),
});

export type ChangedConnectionBody = z.output<typeof changedConnectionBody>;

const metadata = z.record(z.string(), z.unknown());

const labels = {
  provider_config_key: integrationKey,
  connection_id: newConnectionId.optional(),
  connection_config: connectionConfig.optional(),
  metadata: metadata.optional(),
} as const;

export const importBody = z.strictObject({
  ...labels,
  credentials,
  tags: tags.optional(),
  end_user: endUser.optional(),
  organization: organization.optional(),
  webhook_url_override: webhookUrl.optional(),
  /** Ours: `false` takes the credentials as they are, without asking the provider. */
  verify: z.boolean().optional(),
});

/** The older call of the original, which never asked the provider. */
export const oldImportBody = z.strictObject({
  ...labels,
  username: credential.optional(),
  password: credential.optional(),
  api_key: credentialKey.optional(),
});

export const metadataBody = z.strictObject({
  connection_id: z.union([connectionId, z.array(connectionId).min(1).max(100)]),
  provider_config_key: integrationKey,
  metadata,
});

export type MetadataBody = z.output<typeof metadataBody>;
