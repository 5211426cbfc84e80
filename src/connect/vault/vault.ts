import { z } from "zod";
import { open, seal, UnsealError, type Place } from "../../kernel/crypto/envelope.ts";
import type { RootKeys } from "../../kernel/crypto/root-keys.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { Random } from "../../kernel/ids.ts";
import { Secret } from "../../kernel/secret.ts";
import type { Log } from "../../kernel/telemetry/log.ts";
import type { ConnectSession } from "../model/connect-session.ts";
import type { Connection, Integration } from "../model/connection.ts";
import { refusals } from "../model/refusals.ts";

/**
 * What is secret of connections, integrations and connect sessions. Each record has a data key of its own, wrapped by a root key, and is
 * tied to its place: environment, integration, connection and version. With the record its data key is gone. Everything
 * that opens such a record is in this file.
 */

/** What is kept of a connection where nobody can read it. */
export type Kept = {
  /** By the field names of the shape. */
  readonly credentials: Readonly<Record<string, string>>;
  /** Secret fields of the connection's configuration. */
  readonly config: Readonly<Record<string, string>>;
};

const texts = z.record(z.string(), z.string());
const kept = z.object({ credentials: texts, config: texts });

export type ConnectionPlace = Pick<
  Connection,
  "environmentId" | "integrationId" | "connectionId" | "sealedVersion"
>;

const placeOf = (of: ConnectionPlace): Place => ({
  room: "connect",
  row: `${of.environmentId}/${of.integrationId}/${of.connectionId}`,
  field: "credentials",
  version: of.sealedVersion,
});

type Keys = { readonly rootKeys: RootKeys; readonly random: Random };
type Opening = { readonly rootKeys: RootKeys; readonly log: Log };

const parsed = <Value>(schema: z.ZodType<Value>, opened: Secret): Value =>
  schema.parse(JSON.parse(opened.reveal()));

/** Whoever calls learns that it can't be used; why, and where that record lies, is for the operator alone. */
const openOr = (
  { rootKeys, log }: Opening,
  place: Place,
  record: { sealed: string; text: string },
): Secret => {
  try {
    return open(rootKeys, place, record.sealed);
  } catch (error) {
    if (!(error instanceof UnsealError)) throw error;
    log.error("vault_record_refused", { error });
    throw new Refusal(refusals.connection_failing, { text: record.text, cause: error });
  }
};

export const sealKept = ({ rootKeys, random }: Keys, place: ConnectionPlace, secrets: Kept): string =>
  seal(rootKeys, random, placeOf(place), new Secret(JSON.stringify(secrets)));

type SealedConnection = ConnectionPlace & { readonly sealed: string };

/** @throws Refusal connection_failing when the record was changed or moved, or its root key is not at hand */
export const openKept = (deps: Opening, connection: SealedConnection): Kept => {
  const text = "What is kept of this connection can't be opened any more: link it anew";
  return parsed(kept, openOr(deps, placeOf(connection), { sealed: connection.sealed, text }));
};

/** Of a connection that gets other credentials: a record that does not open must not stand in their way. */
export const openKeptConfig = (deps: Opening, connection: SealedConnection): Kept["config"] => {
  try {
    return openKept(deps, connection).config;
  } catch (error) {
    if (error instanceof Refusal) return {};
    throw error;
  }
};

type SessionPlace = Pick<ConnectSession, "digest">;

const defaultsPlaceOf = ({ digest }: SessionPlace): Place => ({
  room: "connect",
  row: digest,
  field: "session_defaults",
  version: 1,
});

const defaults = z.record(z.string(), texts);

/** By integration key: secret values that an app lays down for a connection. */
export type SecretDefaults = z.infer<typeof defaults>;

/** Null when there is none. */
export const sealDefaults = (
  { rootKeys, random }: Keys,
  place: SessionPlace,
  secrets: SecretDefaults,
): string | null =>
  Object.values(secrets).every((values) => Object.keys(values).length === 0)
    ? null
    : seal(rootKeys, random, defaultsPlaceOf(place), new Secret(JSON.stringify(secrets)));

/** @throws Refusal connection_failing when the record was changed or moved, or its root key is not at hand */
export const openDefaults = (
  deps: Opening,
  session: SessionPlace & { readonly terms: Pick<ConnectSession["terms"], "sealedDefaults"> },
): SecretDefaults => {
  const { sealedDefaults: sealed } = session.terms;
  if (sealed === null) return {};
  const text = "What the app laid down for this session can't be opened any more: ask it for a new link";
  return parsed(defaults, openOr(deps, defaultsPlaceOf(session), { sealed, text }));
};

type IntegrationPlace = Pick<Integration, "environmentId" | "uniqueKey" | "configVersion">;

const configPlaceOf = (of: IntegrationPlace): Place => ({
  room: "connect",
  row: `${of.environmentId}/${of.uniqueKey}`,
  field: "integration_config",
  version: of.configVersion,
});

/** The secret fields of an integration's configuration; null when there is none. */
export const sealConfig = (
  { rootKeys, random }: Keys,
  place: IntegrationPlace,
  config: Readonly<Record<string, string>>,
): string | null =>
  Object.keys(config).length === 0
    ? null
    : seal(rootKeys, random, configPlaceOf(place), new Secret(JSON.stringify(config)));

/** @throws Refusal connection_failing when the record was changed or moved, or its root key is not at hand */
export const openConfig = (
  deps: Opening,
  integration: IntegrationPlace & Pick<Integration, "sealedConfig">,
): Readonly<Record<string, string>> => {
  const { sealedConfig: sealed } = integration;
  if (sealed === null) return {};
  const text = "The secret settings of this integration can't be opened any more: make the integration anew";
  return parsed(texts, openOr(deps, configPlaceOf(integration), { sealed, text }));
};
