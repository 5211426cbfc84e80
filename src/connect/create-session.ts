import { minute } from "../kernel/clock.ts";
import { sha256Hex } from "../kernel/crypto/digest.ts";
import type { ConnectSessionBody, ReconnectBody } from "./bodies.ts";
import { endUserOf } from "./bodies.ts";
import { newSessionToken, type SessionTerms } from "./connect-session.ts";
import type { ConnectDeps } from "./deps.ts";
import type { Environment } from "./environment.ts";
import { invalidBody } from "./input.ts";
import { insertConnectSession } from "./store/connect-sessions.ts";
import { connectionByKeys } from "./store/connections.ts";
import { integrationsOf } from "./store/integrations.ts";
import { webhookOverrideOf } from "./webhooks/address.ts";

type Deps = Pick<ConnectDeps, "store" | "clock" | "random" | "policy">;

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
>;

const termsOf = (
  { policy }: Pick<Deps, "policy">,
  body: Terms,
  allowedIntegrations: readonly string[],
): SessionTerms => ({
  endUser: endUserOf(body),
  tags: body.tags ?? {},
  allowedIntegrations: [...allowedIntegrations],
  configDefaults: Object.fromEntries(
    Object.entries(body.integrations_config_defaults ?? {}).map(([key, defaults]) => [
      key,
      defaults.connection_config ?? {},
    ]),
  ),
  docs: Object.fromEntries(
    Object.entries(body.overrides ?? {}).flatMap(([key, { docs_connect: docs }]) =>
      docs === undefined ? [] : [[key, docs]],
    ),
  ),
  webhookUrlOverride: webhookOverrideOf(body.webhook_url_override, policy) ?? null,
  allowedOrigins: (body.allowed_origins ?? []).map((origin) => new URL(origin).origin),
});

const issue = async (
  deps: Deps,
  environment: Environment,
  terms: SessionTerms,
  connectionRow: number | null,
): Promise<NewConnectSession> => {
  const token = newSessionToken(deps.random).reveal();
  const now = deps.clock.now();
  const expiresAt = now + deps.policy.connectSessionMinutes * minute;
  await deps.store.transaction((tx) =>
    insertConnectSession(
      tx.query,
      { digest: sha256Hex(token), environmentId: environment.id, terms, connectionRow, expiresAt },
      now,
    ),
  );
  return {
    token,
    connect_link: `${deps.policy.origin.origin}/connect/#session_token=${token}`,
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
    return issue(deps, environment, termsOf(deps, body, allowed), null);
  };

/** A link for somebody whose credentials stopped working. @throws Refusal input_invalid */
export const createReconnectSession =
  (deps: Deps) =>
  async (environment: Environment, body: ReconnectBody): Promise<NewConnectSession> => {
    const { connection_id: connectionId, integration_id: integrationKey } = body;
    const connection = await connectionByKeys(deps.store.query, environment.id, integrationKey, connectionId);
    if (!connection) throw invalidBody(["connection_id"], "Connection does not exist");
    return issue(deps, environment, termsOf(deps, body, [integrationKey]), connection.id);
  };
