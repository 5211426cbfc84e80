import { randomUUID } from "node:crypto";
import { minute } from "../../kernel/clock.ts";
import type { Tx } from "../../kernel/db/store.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { TryPolicy } from "../../kernel/limits/tries.ts";
import { checkFields, type Texts } from "../catalogue/check-fields.ts";
import type { Provider, Shape } from "../catalogue/model/provider.ts";
import { prepareRequest } from "../catalogue/request-parts.ts";
import { mostTries, type ConnectSession } from "../model/connect-session.ts";
import type { Connection, Integration, ProviderAccount } from "../model/connection.ts";
import type { RoomDeps } from "../deps.ts";
import { tagsOf } from "../model/end-user.ts";
import { feedIdOf } from "../model/environment.ts";
import { splitSecrets } from "../vault/secret-fields.ts";
import { countTry, finishConnectSession, giveTryBack } from "../store/connect-sessions.ts";
import {
  connectionByRow,
  holdConnection,
  insertConnection,
  updateConnection,
  type ConnectionDraft,
} from "../store/connections.ts";
import { refuseDeleted } from "./submission.ts";
import { openConfig, openDefaults, openKeptConfig, sealKept } from "../vault/vault.ts";
import { verifyCredentials, type Verified } from "../verification/verify-credentials.ts";

type Deps = Pick<
  RoomDeps,
  | "store"
  | "clock"
  | "random"
  | "rootKeys"
  | "tries"
  | "audit"
  | "log"
  | "outbound"
  | "ownApi"
  | "policy"
  | "tell"
>;

/** Guesses that are spread over many sessions still come from somewhere. */
const linksOfNetwork: TryPolicy = {
  name: "links-of-network",
  tries: 100,
  windowMs: 10 * minute,
  then: "refuse",
};

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

/** What was found out before anything is written. */
type Accepted = { readonly verified: Verified; readonly config: Texts };

export type Linked = { readonly connectionId: string; readonly account: ProviderAccount | null };

export type LinkAccount = (submission: Submission) => Promise<Linked>;

const tooManyTries = (): Refusal =>
  new Refusal("rate_limited", { text: "Too many wrong tries with this link. Ask the app for a new one." });

/** Enough for its owner to know it again; whoever else has the link learns no address from it. */
const hintOf = ({ name, email, workspace }: ProviderAccount) => ({
  name,
  email: email === null ? null : email.replace(/^(.).*(?=@)/su, "$1…"),
  workspace,
});

/** An account is told apart by what the provider calls it, and not by what it may rename. @throws Refusal different_account */
const refuseAnother = (
  former: Connection | undefined,
  { account: now }: Verified,
  confirmed: boolean,
): void => {
  const before = former?.account ?? null;
  if (confirmed || before === null || now === null || before.id === now.id) return;
  throw new Refusal("different_account", { payload: { before: hintOf(before), now } });
};

/**
 * Links an account: the provider is asked, and only what it accepted is kept, sealed. Linking anew keeps metadata, tags,
 * configuration and webhook address of the connection, unless the session says otherwise.
 *
 * @throws Refusal connect_session_finished, rate_limited, invalid_connection, different_account,
 * unknown_provider_config, connection_failing, and all of verify-credentials.ts
 */
export const linkAccount = (deps: Deps): LinkAccount => {
  const { store, clock, policy } = deps;
  const verify = verifyCredentials(deps);

  /**
   * Wrong credentials count, and nothing else does: nobody is locked out by the provider's bad day. Work that succeeds has
   * given the session's try back itself, together with what it wrote.
   */
  const whileCounted = async <Result>(
    { session, peer }: Submission,
    work: () => Promise<Result>,
  ): Promise<Result> => {
    const reserved = await deps.tries.reserve([{ policy: linksOfNetwork, value: peer.network }]);
    if (!reserved.ok) throw new Refusal("rate_limited", { retryAfter: reserved.retryAfterSeconds });
    if (!(await store.transaction((tx) => countTry(tx.query, session.id, mostTries)))) {
      await reserved.refund();
      throw tooManyTries();
    }
    let result: Result;
    try {
      result = await work();
    } catch (error) {
      if (!(error instanceof Refusal && error.code === "connection_test_failed")) {
        await reserved.refund();
        await store.transaction((tx) => giveTryBack(tx.query, session.id));
      }
      throw error;
    }
    await reserved.refund();
    return result;
  };

  const formerOf = async ({ connectionRow }: ConnectSession, tx?: Tx): Promise<Connection | undefined> => {
    if (connectionRow === null) return undefined;
    const former = tx
      ? await holdConnection(tx.query, connectionRow)
      : await connectionByRow(store.query, connectionRow);
    if (!former) throw new Refusal("invalid_connection");
    return former;
  };

  const configOf = (
    { session, integration, provider, config }: Submission,
    former: Connection | undefined,
  ): Texts => {
    const kept = former && { ...former.config, ...openKeptConfig(deps, former) };
    // What the app has laid down is not for the person to change.
    const laidDown = {
      ...session.terms.configDefaults[integration.uniqueKey],
      ...openDefaults(deps, session)[integration.uniqueKey],
    };
    return checkFields(provider.connection_config, { ...kept, ...config, ...laidDown }, "params");
  };

  const draftOf = (
    { session, integration, provider }: Submission,
    former: Connection | undefined,
    { verified, config }: Accepted,
  ): ConnectionDraft => {
    const { terms, environment } = session;
    const { open, secret } = splitSecrets(provider.connection_config, config);
    const place = {
      environmentId: environment.id,
      integrationId: integration.id,
      connectionId: former?.connectionId ?? randomUUID(),
      sealedVersion: (former?.sealedVersion ?? 0) + 1,
    };
    const tags = tagsOf(terms.endUser, terms.tags);
    return {
      ...place,
      shape: verified.shape,
      sealed: sealKept(deps, place, { credentials: verified.credentials, config: secret }),
      config: open,
      metadata: former?.metadata ?? {},
      endUser: terms.endUser ?? former?.endUser ?? null,
      tags: { ...former?.tags, ...tags },
      webhookUrlOverride: terms.webhookUrlOverride ?? former?.webhookUrlOverride ?? null,
      account: verified.account,
      state: "live",
      stateReason: null,
      origin: verified.origin,
      lastVerifiedAt: verified.account === null ? null : clock.now(),
    };
  };

  const keep = async (tx: Tx, submission: Submission, accepted: Accepted): Promise<Linked> => {
    const { session, integration, peer } = submission;
    const now = clock.now();
    await tx.alone();
    await refuseDeleted(tx.query, integration);
    // Read anew: what the app wrote while the provider was asked is to stay.
    const former = await formerOf(session, tx);
    refuseAnother(former, accepted.verified, submission.confirmed);
    const draft = draftOf(submission, former, accepted);
    if (!policy.connectReusable && !(await finishConnectSession(tx.query, session.id, now))) {
      throw new Refusal("connect_session_finished");
    }
    await giveTryBack(tx.query, session.id);
    if (former) {
      if (!(await updateConnection(tx.query, former.id, draft, now))) throw new Refusal("invalid_connection");
    } else if ((await insertConnection(tx.query, draft, now)) === undefined) {
      throw new Error("A random UUID was there already.");
    }
    await deps.audit.record(tx.query, {
      event: former ? "connection_linked_anew" : "connection_linked",
      outcome: "done",
      channel: "connect_session",
      address: peer.address,
      details: {
        environment: session.environment.name,
        integration: integration.uniqueKey,
        connection: draft.connectionId,
      },
    });
    await deps.tell(tx, {
      connection: { ...draft, integrationKey: integration.uniqueKey, provider: integration.provider },
      operation: former ? "override" : "creation",
      success: true,
    });
    tx.changed(feedIdOf(session.environment.id));
    return { connectionId: draft.connectionId, account: draft.account };
  };

  /** The app learns that its user tried in vain, and why; so does whoever reads the audit. */
  const noteRefusal = async (
    { session, integration, peer }: Submission,
    former: Connection | undefined,
    refusal: Refusal,
  ): Promise<void> => {
    const { environment, terms } = session;
    await store.transaction(async (tx) => {
      await deps.audit.record(tx.query, {
        event: "link_refused",
        outcome: "refused",
        channel: "connect_session",
        address: peer.address,
        details: { environment: environment.name, integration: integration.uniqueKey, code: refusal.code },
      });
      await deps.tell(tx, {
        connection: {
          environmentId: environment.id,
          // As the original does: the id that a connection would have had.
          connectionId: former?.connectionId ?? randomUUID(),
          integrationKey: integration.uniqueKey,
          provider: integration.provider,
          endUser: terms.endUser ?? former?.endUser ?? null,
          tags: tagsOf(terms.endUser, terms.tags),
          webhookUrlOverride: terms.webhookUrlOverride ?? former?.webhookUrlOverride ?? null,
          account: former?.account ?? null,
          state: former?.state ?? null,
          stateReason: former?.stateReason ?? null,
        },
        operation: former ? "override" : "creation",
        success: false,
        error: { type: refusal.code, description: refusal.message },
      });
    });
  };

  return async (submission: Submission): Promise<Linked> => {
    const { session, integration, provider, shape, credentials } = submission;
    if (session.finishedAt !== null && !policy.connectReusable) throw new Refusal("connect_session_finished");
    const former = await formerOf(session);
    const config = configOf(submission, former);
    const verified = async (): Promise<Verified> => {
      const integrationConfig = { ...integration.config, ...openConfig(deps, integration) };
      const keepPassword = integration.config["keep_password"] === true;
      try {
        const values = { credentials, connectionConfig: config, integrationConfig };
        const prepared = prepareRequest(provider, values);
        return await verify({ prepared, shape, keepPassword, from: submission.peer.address });
      } catch (error) {
        if (error instanceof Refusal) await noteRefusal(submission, former, error);
        throw error;
      }
    };
    return whileCounted(submission, async () => {
      const accepted = { verified: await verified(), config };
      return store.transaction((tx) => keep(tx, submission, accepted));
    });
  };
};
