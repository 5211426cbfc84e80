import { minute } from "../../kernel/clock.ts";
import { sha256Hex } from "../../kernel/crypto/digest.ts";
import type { ConnectSessionBody, ReconnectBody } from "../wire/bodies.ts";
import { endUserOf } from "../wire/bodies.ts";
import { newSessionToken, type SessionTerms } from "../model/connect-session.ts";
import type { ConnectDeps } from "../deps.ts";
import type { Environment } from "../model/environment.ts";
import { invalidBody } from "../wire/input.ts";
import { refuseOpeners } from "./openers.ts";
import { splitSecrets } from "../vault/secret-fields.ts";
import { insertConnectSession } from "../store/connect-sessions.ts";
import { connectionByKeys } from "../store/connections.ts";
import { integrationsOf } from "../store/integrations.ts";
import { sealDefaults, type SecretDefaults } from "../vault/vault.ts";
import { webhookOverrideOf } from "../webhooks/address.ts";

type Deps = Pick<
  ConnectDeps,
  "store" | "clock" | "random" | "rootKeys" | "catalogue" | "policy" | "formAddress"
>;

export type NewConnectSession = {
  readonly token: string;
  /** Opens the form. The token stands behind the `#`, where no server and no log sees it. */
  readonly connect_link: string;
  readonly expires_at: string;
};

type Terms = Pick<
  ConnectSessionBody,
  | "end_user"
  | "organization"
  | "tags"
  | "integrations_config_defaults"
  | "overrides"
  | "webhook_url_override"
  | "allowed_origins"
  | "redirect_url"
>;

const termsOf = (
  { policy }: Pick<Deps, "policy">,
  environment: Environment,
  body: Terms,
  allowedIntegrations: readonly string[],
): Omit<SessionTerms, "configDefaults" | "sealedDefaults"> => {
  refuseOpeners(environment, body);
  return {
    endUser: endUserOf(body),
    tags: body.tags ?? {},
    allowedIntegrations: [...allowedIntegrations],
    docs: Object.fromEntries(
      Object.entries(body.overrides ?? {}).flatMap(([key, { docs_connect: docs }]) =>
        docs === undefined ? [] : [[key, docs]],
      ),
    ),
    webhookUrlOverride: webhookOverrideOf(body.webhook_url_override, policy) ?? null,
    allowedOrigins: [...(body.allowed_origins ?? [])],
    redirectUrl: body.redirect_url ?? null,
  };
};

type NewSession = {
  readonly terms: ReturnType<typeof termsOf>;
  readonly defaults: Awaited<ReturnType<typeof defaultsOf>>;
  /** The connection to link anew. */
  readonly connectionRow: number | null;
};

/** What is secret of the values that an app lays down neither lies open nor is shown to the form. */
const defaultsOf = async (deps: Deps, environment: Environment, body: Terms) => {
  const open: SessionTerms["configDefaults"] = {};
  const secret: SecretDefaults = {};
  const given = Object.entries(body.integrations_config_defaults ?? {});
  const integrations = given.length > 0 ? await integrationsOf(deps.store.query, environment.id) : [];
  for (const [key, { connection_config: values = {} }] of given) {
    const integration = integrations.find(({ uniqueKey }) => uniqueKey === key);
    const fields = integration && deps.catalogue.get(integration.provider)?.connection_config;
    const parts = splitSecrets(fields ?? {}, values);
    const placeholders = Object.keys(parts.secret).map((name) => [name, ""] as const);
    open[key] = { ...parts.open, ...Object.fromEntries(placeholders) };
    secret[key] = parts.secret;
  }
  return { open, secret };
};

const issue = async (
  deps: Deps,
  environment: Environment,
  { terms, defaults, connectionRow }: NewSession,
): Promise<NewConnectSession> => {
  const token = newSessionToken(deps.random).reveal();
  const digest = sha256Hex(token);
  const sealedDefaults = sealDefaults(deps, { digest }, defaults.secret);
  const now = deps.clock.now();
  const expiresAt = now + deps.policy.connectSessionMinutes * minute;
  await deps.store.transaction((tx) =>
    insertConnectSession(
      tx.query,
      {
        digest,
        environmentId: environment.id,
        terms: { ...terms, configDefaults: defaults.open, sealedDefaults },
        connectionRow,
        expiresAt,
      },
      now,
    ),
  );
  return {
    token,
    connect_link: `${deps.formAddress}#session_token=${token}`,
    expires_at: new Date(expiresAt).toISOString(),
  };
};

/** Everything that names an integration must name one that is there. @throws Refusal input_invalid */
const refuseUnknownIntegrations = async (
  deps: Deps,
  environment: Environment,
  named: readonly (readonly [path: readonly string[], key: string])[],
): Promise<void> => {
  if (named.length === 0) return;
  const known = new Set(
    (await integrationsOf(deps.store.query, environment.id)).map(({ uniqueKey }) => uniqueKey),
  );
  const unknown = named.find(([, key]) => !known.has(key));
  if (unknown) throw invalidBody(unknown[0], "Integration does not exist");
};

const namesOf = (field: string, record: Readonly<Record<string, unknown>> | undefined) =>
  Object.keys(record ?? {}).map((key) => [[field, key], key] as const);

/** A link for somebody who is to link an account. @throws Refusal input_invalid */
export const createConnectSession =
  (deps: Deps) =>
  async (environment: Environment, body: ConnectSessionBody): Promise<NewConnectSession> => {
    const allowed = body.allowed_integrations ?? [];
    await refuseUnknownIntegrations(deps, environment, [
      ...allowed.map((key, index) => [["allowed_integrations", String(index)], key] as const),
      ...namesOf("integrations_config_defaults", body.integrations_config_defaults),
      ...namesOf("overrides", body.overrides),
    ]);
    return issue(deps, environment, {
      terms: termsOf(deps, environment, body, allowed),
      defaults: await defaultsOf(deps, environment, body),
      connectionRow: null,
    });
  };

/** A link for somebody whose credentials stopped working. @throws Refusal input_invalid */
export const createReconnectSession =
  (deps: Deps) =>
  async (environment: Environment, body: ReconnectBody): Promise<NewConnectSession> => {
    const { connection_id: connectionId, integration_id: integrationKey } = body;
    const connection = await connectionByKeys(deps.store.query, environment.id, integrationKey, connectionId);
    if (!connection) throw invalidBody(["connection_id"], "Connection does not exist");
    return issue(deps, environment, {
      terms: termsOf(deps, environment, body, [integrationKey]),
      defaults: await defaultsOf(deps, environment, body),
      connectionRow: connection.id,
    });
  };
