import { Refusal } from "../../kernel/errors.ts";
import { checkCredentials, type Texts } from "../catalogue/check-fields.ts";
import type { Provider, Shape } from "../catalogue/model/provider.ts";
import { shapeOf } from "../catalogue/shape-of.ts";
import { understandPaste } from "../catalogue/understand-paste.ts";
import type { ConnectSession } from "../model/connect-session.ts";
import type { Connection, Integration } from "../model/connection.ts";
import type { ConnectDeps } from "../deps.ts";
import type { Environment } from "../model/environment.ts";
import { invalidBody } from "../wire/input.ts";
import { integrationByKey } from "../store/integrations.ts";
import type { Queries } from "../store/tables.ts";
import { refusals } from "../model/refusals.ts";

/** Credentials that somebody sent from a form, understood and not yet checked with the provider. */
export type Submission = {
  readonly session: ConnectSession;
  readonly integration: Integration;
  readonly provider: Provider;
  readonly shape: Shape;
  readonly credentials: Texts;
  /** The fields of the connection's configuration, as they were typed. */
  readonly config: Readonly<Record<string, string>>;
  /** The person knows that this is another account than before. */
  readonly confirmed: boolean;
  readonly peer: { readonly address: string; readonly network: string };
};

export type Target = { readonly integration: Integration; readonly provider: Provider };

type Deps = Pick<ConnectDeps, "store" | "catalogue">;

/**
 * The integration that credentials are meant for, in the order of checks that was recorded (contract nango §1.6).
 * @throws Refusal unknown_provider_config, unknown_provider_template, invalid_auth_mode, integration_not_allowed
 */
export const targetOf = async (
  { store, catalogue }: Deps,
  session: ConnectSession,
  integrationKey: string,
  mode: Provider["auth_mode"],
): Promise<Target> => {
  const integration = await integrationByKey(store.query, session.environment.id, integrationKey);
  if (!integration) throw new Refusal(refusals.unknown_provider_config);
  const provider = catalogue.get(integration.provider);
  if (!provider) throw new Refusal(refusals.unknown_provider_template);
  if (provider.auth_mode !== mode) throw new Refusal(refusals.invalid_auth_mode);
  const { allowedIntegrations } = session.terms;
  if (allowedIntegrations.length > 0 && !allowedIntegrations.includes(integration.uniqueKey)) {
    throw new Refusal(refusals.integration_not_allowed);
  }
  return { integration, provider };
};

/** The connection to link anew; undefined for a first time. @throws Refusal invalid_connection when it is gone */
export const formerOf = async (
  { connectionRow }: ConnectSession,
  read: (row: number) => Promise<Connection | undefined>,
): Promise<Connection | undefined> => {
  if (connectionRow === null) return undefined;
  const former = await read(connectionRow);
  if (!former) throw new Refusal(refusals.invalid_connection);
  return former;
};

/** It may have been deleted while the provider was asked. @throws Refusal unknown_provider_config */
export const refuseDeleted = async (
  query: Queries,
  { id, environmentId, uniqueKey }: Integration,
): Promise<void> => {
  const now = await integrationByKey(query, environmentId, uniqueKey);
  if (now?.id !== id) throw new Refusal(refusals.unknown_provider_config);
};

/**
 * What somebody sent in the fields of the wire, as one of the provider's shapes: pasted blanks are gone, and a whole
 * line or header in the token's field is understood.
 * @throws Refusal input_invalid
 */
export const credentialsOf = (
  provider: Provider,
  sent: Readonly<Record<string, unknown>>,
): { readonly shape: Shape; readonly credentials: Texts } => {
  const { shape, values } = understandPaste(provider, shapeOf(provider, sent), sent);
  return { shape, credentials: checkCredentials(provider, shape, values) };
};

/**
 * The integration and the shape of credentials that an app brings along.
 * @throws Refusal not_found, unknown_provider_template, input_invalid
 */
export const importTarget = async (
  { store, catalogue }: Deps,
  environment: Environment,
  given: {
    readonly integrationKey: string;
    /** With the `type` of the wire, where the call has one. */
    readonly credentials: Readonly<Record<string, unknown>>;
  },
) => {
  const integration = await integrationByKey(store.query, environment.id, given.integrationKey);
  if (!integration) {
    throw new Refusal(refusals.not_found, { text: `Integration "${given.integrationKey}" does not exist` });
  }
  const provider = catalogue.get(integration.provider);
  if (!provider) throw new Refusal(refusals.unknown_provider_template);
  const { type = provider.auth_mode, ...sent } = given.credentials;
  if (type !== provider.auth_mode) {
    throw invalidBody(
      ["credentials", "type"],
      `${provider.display_name} takes credentials of the type ${provider.auth_mode}`,
    );
  }
  return { integration, provider, ...credentialsOf(provider, sent) };
};
