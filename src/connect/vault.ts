import { z } from "zod";
import { open, seal, type Place } from "../kernel/crypto/envelope.ts";
import type { RootKeys } from "../kernel/crypto/root-keys.ts";
import type { Random } from "../kernel/ids.ts";
import { Secret } from "../kernel/secret.ts";
import type { Connection, Integration } from "./connection.ts";

/**
 * What is secret of connections and integrations. Each record has a data key of its own, wrapped by a root key, and is
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

export const sealKept = ({ rootKeys, random }: Keys, place: ConnectionPlace, secrets: Kept): string =>
  seal(rootKeys, random, placeOf(place), new Secret(JSON.stringify(secrets)));

/** @throws UnsealError when the record was changed or moved */
export const openKept = (
  { rootKeys }: Pick<Keys, "rootKeys">,
  connection: ConnectionPlace & { readonly sealed: string },
): Kept => kept.parse(JSON.parse(open(rootKeys, placeOf(connection), connection.sealed).reveal()));

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

/** @throws UnsealError when the record was changed or moved */
export const openConfig = (
  { rootKeys }: Pick<Keys, "rootKeys">,
  integration: Pick<Integration, "environmentId" | "uniqueKey" | "configVersion" | "sealedConfig">,
): Readonly<Record<string, string>> =>
  integration.sealedConfig === null
    ? {}
    : texts.parse(JSON.parse(open(rootKeys, configPlaceOf(integration), integration.sealedConfig).reveal()));
