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
  | "environmentId"
  | "integrationId"
  | "connectionId"
  | "sealedVersion"
  | "integrationKey"
  | "provider"
  | "shape"
  | "origin"
  | "config"
>;

/**
 * Part of what records are bound to, drawn once for a store. Whoever can write the database, but has no root key, can
 * take it away and have another one drawn; then nothing opens that was bound before.
 */
export type DestinationKey = { readonly destinationKey: Buffer };

/** One text of what decides where credentials go, whatever order it came in. */
const bindingOf = (
  { destinationKey }: DestinationKey,
  facts: readonly string[],
  config: Readonly<Record<string, string | boolean>>,
): string =>
  JSON.stringify([
    destinationKey.toString("hex"),
    ...facts,
    Object.entries(config).toSorted(([one], [other]) => (one < other ? -1 : 1)),
  ]);

/** Where a record was bound to nothing but its place, as it was before destinations were sealed. */
const unboundPlaceOf = (
  of: Pick<ConnectionPlace, "environmentId" | "integrationId" | "connectionId" | "sealedVersion">,
): Place => ({
  room: "connect",
  row: `${of.environmentId}/${of.integrationId}/${of.connectionId}`,
  field: "credentials",
  version: of.sealedVersion,
});

const placeOf = (key: DestinationKey, of: ConnectionPlace): Place => ({
  ...unboundPlaceOf(of),
  binding: bindingOf(key, [of.integrationKey, of.provider, of.shape, of.origin], of.config),
});

type Keys = DestinationKey & { readonly rootKeys: RootKeys; readonly random: Random };
type Opening = DestinationKey & { readonly rootKeys: RootKeys; readonly log: Log };
type SessionKeys = Omit<Keys, "destinationKey">;
type SessionOpening = Omit<Opening, "destinationKey">;

const parsed = <Value>(schema: z.ZodType<Value>, opened: Secret): Value =>
  schema.parse(JSON.parse(opened.reveal()));

/** Whoever calls learns that it can't be used; why, and where that record lies, is for the operator alone. */
const openOr = (
  { rootKeys, log }: SessionOpening,
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

export const sealKept = (keys: Keys, place: ConnectionPlace, secrets: Kept): string =>
  seal(keys.rootKeys, keys.random, placeOf(keys, place), new Secret(JSON.stringify(secrets)));

type SealedConnection = ConnectionPlace & { readonly sealed: string };

/** Undefined when it does not open there. */
const openAt = ({ rootKeys }: Pick<Keys, "rootKeys">, place: Place, sealed: string): Secret | undefined => {
  try {
    return open(rootKeys, place, sealed);
  } catch (error) {
    if (error instanceof UnsealError) return undefined;
    throw error;
  }
};

/**
 * What was sealed before destinations were, sealed anew with its own; undefined when it is, or does not open at all.
 * To be dropped, and such records with it, in the release behind the one that brings it.
 */
export const boundAnew = (keys: Keys, connection: SealedConnection): string | undefined => {
  if (openAt(keys, placeOf(keys, connection), connection.sealed)) return undefined;
  const former = openAt(keys, unboundPlaceOf(connection), connection.sealed);
  return former && seal(keys.rootKeys, keys.random, placeOf(keys, connection), former);
};

/**
 * @throws Refusal connection_failing when the record was changed or moved, or what decides where its credentials go
 * was, or its root key is not at hand
 */
export const openKept = (deps: Opening, connection: SealedConnection): Kept => {
  const { sealed } = connection;
  const text = "What is kept of this connection can't be opened any more: link it anew";
  const former = (): Secret => {
    const opened = openAt(deps, unboundPlaceOf(connection), sealed);
    return opened ?? openOr(deps, placeOf(deps, connection), { sealed, text });
  };
  return parsed(kept, openAt(deps, placeOf(deps, connection), sealed) ?? former());
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
  { rootKeys, random }: SessionKeys,
  place: SessionPlace,
  secrets: SecretDefaults,
): string | null =>
  Object.values(secrets).every((values) => Object.keys(values).length === 0)
    ? null
    : seal(rootKeys, random, defaultsPlaceOf(place), new Secret(JSON.stringify(secrets)));

/** @throws Refusal connection_failing when the record was changed or moved, or its root key is not at hand */
export const openDefaults = (
  deps: SessionOpening,
  session: SessionPlace & { readonly terms: Pick<ConnectSession["terms"], "sealedDefaults"> },
): SecretDefaults => {
  const { sealedDefaults: sealed } = session.terms;
  if (sealed === null) return {};
  const text = "What the app laid down for this session can't be opened any more: ask it for a new link";
  return parsed(defaults, openOr(deps, defaultsPlaceOf(session), { sealed, text }));
};

type IntegrationPlace = Pick<
  Integration,
  "environmentId" | "uniqueKey" | "configVersion" | "provider" | "config"
>;

const unboundConfigPlaceOf = (
  of: Pick<IntegrationPlace, "environmentId" | "uniqueKey" | "configVersion">,
): Place => ({
  room: "connect",
  row: `${of.environmentId}/${of.uniqueKey}`,
  field: "integration_config",
  version: of.configVersion,
});

const configPlaceOf = (key: DestinationKey, of: IntegrationPlace): Place => ({
  ...unboundConfigPlaceOf(of),
  binding: bindingOf(key, [of.provider], of.config),
});

/** The secret fields of an integration's configuration, and what vouches for its provider and for the other fields. */
export const sealConfig = (
  keys: Keys,
  place: IntegrationPlace,
  secrets: Readonly<Record<string, string>>,
): string =>
  seal(keys.rootKeys, keys.random, configPlaceOf(keys, place), new Secret(JSON.stringify(secrets)));

type SealedIntegration = IntegrationPlace & Pick<Integration, "sealedConfig">;

/** @throws Refusal connection_failing when the integration was changed in the database, or its root key is not at hand */
export const openConfig = (
  deps: Opening,
  integration: SealedIntegration,
): Readonly<Record<string, string>> => {
  const text = "The secret settings of this integration can't be opened any more: make the integration anew";
  const record = { sealed: integration.sealedConfig ?? "", text };
  return parsed(texts, openOr(deps, configPlaceOf(deps, integration), record));
};

/** Of an integration that was made before destinations were sealed. @throws UnsealError when it was tampered with */
export const configBoundAnew = (keys: Keys, integration: SealedIntegration): string => {
  const { sealedConfig: sealed } = integration;
  const secrets =
    sealed === null ? {} : parsed(texts, open(keys.rootKeys, unboundConfigPlaceOf(integration), sealed));
  return sealConfig(keys, integration, secrets);
};
