import { randomUUID } from "node:crypto";
import { Refusal } from "../../kernel/errors.ts";
import { apartFrom, checkFields, type Texts } from "../catalogue/check-fields.ts";
import type { Provider, Shape } from "../catalogue/model/provider.ts";
import { prepareRequest } from "../catalogue/request-parts.ts";
import type { Connection, Integration } from "../model/connection.ts";
import type { RoomDeps } from "../deps.ts";
import { tagsOf, type EndUser } from "../model/end-user.ts";
import { feedIdOf, type KeyHolder } from "../model/environment.ts";
import { noConnection } from "../store/named-connection.ts";
import { connectionByKeys } from "../store/connections.ts";
import {
  holdConnection,
  insertConnection,
  updateConnection,
  type ConnectionDraft,
} from "../store/write-connections.ts";
import type { Queries } from "../store/tables.ts";
import { draftConnection } from "./draft-connection.ts";
import { refuseDeleted } from "./submission.ts";
import { openConfig, openKeptConfig } from "../vault/vault.ts";
import { verifyCredentials, type Verified } from "../verification/verify-credentials.ts";
import { refusals } from "../model/refusals.ts";

type Deps = Pick<
  RoomDeps,
  | "store"
  | "clock"
  | "random"
  | "rootKeys"
  | "destinationKey"
  | "audit"
  | "log"
  | "outbound"
  | "ownApi"
  | "tell"
>;

export type Import = {
  readonly holder: KeyHolder;
  /** Where the app calls from. */
  readonly address: string;
  readonly integration: Integration;
  readonly provider: Provider;
  readonly shape: Shape;
  readonly credentials: Texts;
  /** Without one, a new id. One that is there is written over. */
  readonly connectionId?: string | undefined;
  /** Whether one that is not there is a mistake. */
  readonly mustExist?: boolean;
  readonly config?: Readonly<Record<string, string>> | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly endUser?: EndUser | null | undefined;
  /** Null clears it. */
  readonly webhookUrlOverride?: string | null | undefined;
  /** Whether the provider is asked first. */
  readonly verified: boolean;
};

export type ImportConnection = (wanted: Import) => Promise<Connection>;

/** What was left out stays as it was, when there is a connection already. */
const labelsOf = (
  wanted: Import,
  former: Connection | undefined,
): Pick<ConnectionDraft, "metadata" | "endUser" | "tags" | "webhookUrlOverride"> => {
  const endUser = wanted.endUser ?? former?.endUser ?? null;
  const isTagged = wanted.tags !== undefined || wanted.endUser !== undefined;
  return {
    metadata: wanted.metadata ?? former?.metadata ?? {},
    endUser,
    tags: isTagged ? tagsOf(endUser, wanted.tags ?? {}) : (former?.tags ?? {}),
    webhookUrlOverride:
      wanted.webhookUrlOverride === undefined
        ? (former?.webhookUrlOverride ?? null)
        : wanted.webhookUrlOverride,
  };
};

/**
 * A connection that an app brings along, or whose credentials it changes. Credentials that the provider refuses change
 * nothing.
 *
 * @throws Refusal input_invalid, not_found, unknown_provider_config, connection_failing, busy, and all of verify-credentials.ts
 */
export const importConnection = (deps: Deps): ImportConnection => {
  const verify = verifyCredentials(deps);

  const verifiedOf = (wanted: Import, config: Texts): Promise<Verified> | Verified => {
    const { provider, shape, credentials, integration, address } = wanted;
    const prepared = prepareRequest(provider, {
      credentials,
      connectionConfig: config,
      integrationConfig: { ...integration.config, ...openConfig(deps, integration) },
    });
    if (!wanted.verified) return { shape: shape.name, credentials, account: null, origin: prepared.origin };
    const keepPassword = integration.config["keep_password"] === true;
    const asker = { group: `key ${wanted.holder.keyId}`, member: integration.uniqueKey };
    return verify({ prepared, shape, integration, keepPassword, from: address, asker });
  };

  return async (wanted: Import): Promise<Connection> => {
    const { holder, integration, provider } = wanted;
    const { store, clock } = deps;
    const connectionId = wanted.connectionId ?? randomUUID();
    const find = (query: Queries) =>
      connectionByKeys(query, holder.environment.id, integration.uniqueKey, connectionId);
    const known = await find(store.query);
    const kept = known && { ...known.config, ...openKeptConfig(deps, known) };
    const fields = provider.connection_config;
    // An app brings along what it had elsewhere, and reads it again.
    const { known: given, foreign } = apartFrom(fields, { ...kept, ...wanted.config });
    const config = { ...foreign, ...checkFields(fields, given, "connection_config") };
    const verified = await verifiedOf(wanted, config);
    await store.transaction(async (tx) => {
      const now = clock.now();
      await tx.alone();
      await refuseDeleted(tx.query, integration);
      // Read anew: what the app wrote while the provider was asked is to stay.
      const found = await find(tx.query);
      const former = found && (await holdConnection(tx.query, found.id));
      if (!former && wanted.mustExist === true) throw noConnection();
      const at = { integration, provider, connectionId, former };
      const draft = {
        ...draftConnection(deps, at, { verified, config }),
        ...labelsOf(wanted, former),
      };
      const isKept = former
        ? await updateConnection(tx.query, former.id, draft, now)
        : (await insertConnection(tx.query, draft, now)) !== undefined;
      // Two that write the same connection at once: the other one was first, and this one may be tried again.
      if (!isKept) throw new Refusal(refusals.busy, { retryAfter: 1 });
      await deps.audit.record(tx.query, {
        event: former ? "connection_changed" : "connection_imported",
        outcome: "done",
        channel: "key",
        address: wanted.address,
        details: {
          environment: holder.environment.name,
          key: holder.keyName,
          integration: integration.uniqueKey,
          connection: connectionId,
        },
      });
      await deps.tell(tx, {
        connection: { ...draft, integrationKey: integration.uniqueKey, provider: integration.provider },
        operation: former ? "override" : "creation",
        success: true,
      });
      tx.changed(feedIdOf(holder.environment.id));
    });
    const made = await find(store.query);
    if (!made) throw new Refusal(refusals.unknown_connection);
    return made;
  };
};
