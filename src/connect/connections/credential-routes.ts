import { z } from "zod";
import { Refusal } from "../../kernel/errors.ts";
import { route, type Route } from "../../kernel/http/route.ts";
import { accountAnswer, connectionAnswer } from "../wire/answers.ts";
import {
  connectionConfig,
  connectionId,
  credentials,
  endUser,
  endUserOf,
  integrationKey,
  metadata,
  organization,
  tags,
  webhookUrl,
} from "../wire/bodies.ts";
import type { checkConnection } from "../verification/check-connection.ts";
import { connectionAfter } from "../verification/check-connection.ts";
import type { Connection } from "../model/connection.ts";
import type { RoomDeps } from "../deps.ts";
import type { EnvironmentKeys } from "../environments/environment-keys.ts";
import type { KeyHolder } from "../model/environment.ts";
import type { importConnection } from "../linking/import-connection.ts";
import { connectBody, noQuery } from "../wire/input.ts";
import { namedConnection } from "../store/named-connection.ts";
import { shownConnection } from "./shown-connection.ts";
import { importTarget } from "../linking/submission.ts";
import { openKept } from "../vault/vault.ts";
import { webhookOverrideOf } from "../webhooks/address.ts";

const readCredentials = "environment:connections:read_credentials";

const labels = {
  provider_config_key: integrationKey,
  connection_id: connectionId.optional(),
  connection_config: connectionConfig.optional(),
  metadata: metadata.optional(),
} as const;

const importBody = z.strictObject({
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
const oldImportBody = z.strictObject({
  ...labels,
  username: z.string().max(1024).optional(),
  password: z.string().max(1024).optional(),
  api_key: z.string().min(1).max(1024).optional(),
});

const verifyBody = z.strictObject({ connection_id: connectionId, provider_config_key: integrationKey });

const findingAnswer = z.object({
  connection_id: z.string(),
  provider_config_key: z.string(),
  state: z.enum(["live", "failing", "revoked"]),
  state_reason: z.string().nullable(),
  last_verified_at: z.string().nullable(),
  account: accountAnswer.nullable(),
});

type Deps = Pick<RoomDeps, "store" | "clock" | "rootKeys" | "log" | "catalogue" | "policy">;

/** Credentials that an app brings along, and the question whether those that are kept still work (contract nango §1.9). */
export const credentialRoutes = (
  deps: Deps,
  keys: EnvironmentKeys,
  use: {
    readonly bring: ReturnType<typeof importConnection>;
    readonly check: ReturnType<typeof checkConnection>;
  },
): readonly Route[] => {
  /** What a key brings it may not always read: a password may have been swapped for a token meanwhile. */
  const made = (connection: Connection, { scopes }: KeyHolder) => ({
    status: 201,
    json: shownConnection(connection, scopes.has(readCredentials) ? openKept(deps, connection) : undefined, {
      fetchedAt: deps.clock.now(),
      form: "zulu",
    }),
  });

  return [
    route({
      method: "POST",
      path: "/connections",
      summary: "Bring a connection along; the provider is asked first, unless `verify` is false",
      wire: "connect",
      guard: keys.guard("environment:connections:create"),
      input: connectBody(importBody),
      answers: { means: "201: the connection with its credentials.", schema: connectionAnswer },
      run: async ({ input, principal, incoming }) => {
        noQuery(incoming);
        const target = await importTarget(deps, principal.environment, {
          integrationKey: input.provider_config_key,
          credentials: input.credentials,
        });
        const connection = await use.bring({
          ...target,
          holder: principal,
          address: incoming.client.address,
          connectionId: input.connection_id,
          config: input.connection_config,
          metadata: input.metadata,
          tags: input.tags,
          endUser: endUserOf(input) ?? undefined,
          webhookUrlOverride: webhookOverrideOf(input.webhook_url_override, deps.policy),
          verified: input.verify !== false,
        });
        return made(connection, principal);
      },
    }),
    route({
      method: "POST",
      path: "/connection",
      summary: "Bring a connection along without asking the provider (the older path)",
      wire: "connect",
      guard: keys.guard("environment:connections:create"),
      input: connectBody(oldImportBody),
      answers: { means: "201: the connection with its credentials.", schema: connectionAnswer },
      run: async ({ input, principal, incoming }) => {
        noQuery(incoming);
        const { username, password, api_key: apiKey } = input;
        const given = { username, password, ...(apiKey === undefined ? {} : { apiKey }) };
        const target = await importTarget(deps, principal.environment, {
          integrationKey: input.provider_config_key,
          credentials: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
        });
        const connection = await use.bring({
          ...target,
          holder: principal,
          address: incoming.client.address,
          connectionId: input.connection_id,
          config: input.connection_config,
          metadata: input.metadata,
          verified: false,
        });
        return made(connection, principal);
      },
    }),
    route({
      method: "POST",
      path: "/connections/verify",
      summary: "Ask the provider now whether a connection's credentials work",
      wire: "connect",
      guard: keys.guard("environment:connections:update"),
      input: connectBody(verifyBody),
      answers: {
        means: "What the provider says; the connection's state is that now.",
        schema: findingAnswer,
      },
      run: async ({ input, principal, incoming }) => {
        noQuery(incoming);
        const connection = await namedConnection(deps.store.query, principal.environment, {
          integrationKey: input.provider_config_key,
          connectionId: input.connection_id,
        });
        if (connection.state === "revoked") throw new Refusal("connection_failing");
        await use.check(connection, incoming.client.address);
        const now = await connectionAfter(deps, connection);
        return {
          json: {
            connection_id: now.connectionId,
            provider_config_key: now.integrationKey,
            state: now.state,
            state_reason: now.stateReason,
            last_verified_at: now.lastVerifiedAt === null ? null : new Date(now.lastVerifiedAt).toISOString(),
            account: now.account,
          },
        };
      },
    }),
  ];
};
