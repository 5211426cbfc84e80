import { randomUUID } from "node:crypto";
import type { Tx } from "../../kernel/db/store.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { RoomDeps } from "../deps.ts";
import type { Connection, ProviderAccount } from "../model/connection.ts";
import { tagsOf } from "../model/end-user.ts";
import { feedIdOf } from "../model/environment.ts";
import { finishConnectSession, giveTryBack } from "../store/connect-sessions.ts";
import {
  holdConnection,
  insertConnection,
  updateConnection,
  type ConnectionDraft,
} from "../store/write-connections.ts";
import type { Verified } from "../verification/verify-credentials.ts";
import { draftConnection, type Accepted } from "./draft-connection.ts";
import { formerOf, refuseDeleted, type Submission } from "./submission.ts";
import { refusals } from "../model/refusals.ts";

type Deps = Pick<RoomDeps, "clock" | "random" | "rootKeys" | "destinationKey" | "audit" | "policy" | "tell">;

export type Linked = { readonly connectionId: string; readonly account: ProviderAccount | null };

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
  throw new Refusal(refusals.different_account, { payload: { before: hintOf(before), now } });
};

const draftOf = (
  deps: Deps,
  { session: { terms }, integration, provider }: Submission,
  { former, accepted }: { readonly former: Connection | undefined; readonly accepted: Accepted },
): ConnectionDraft => {
  const connectionId = former?.connectionId ?? randomUUID();
  return {
    ...draftConnection(deps, { integration, provider, connectionId, former }, accepted),
    metadata: former?.metadata ?? {},
    endUser: terms.endUser ?? former?.endUser ?? null,
    tags: { ...former?.tags, ...tagsOf(terms.endUser, terms.tags) },
    webhookUrlOverride: terms.webhookUrlOverride ?? former?.webhookUrlOverride ?? null,
  };
};

/**
 * Writes an accepted link, within one transaction: everything that may have changed while the provider was asked is
 * read anew.
 *
 * @throws Refusal unknown_provider_config, invalid_connection, different_account, connect_session_finished
 */
export const keepLink = async (
  deps: Deps,
  tx: Tx,
  { submission, accepted }: { readonly submission: Submission; readonly accepted: Accepted },
): Promise<Linked> => {
  const { session, integration, peer } = submission;
  const now = deps.clock.now();
  await tx.alone();
  await refuseDeleted(tx.query, integration);
  // What the app wrote meanwhile is to stay.
  const former = await formerOf(session, (row) => holdConnection(tx.query, row));
  refuseAnother(former, accepted.verified, submission.confirmed);
  const draft = draftOf(deps, submission, { former, accepted });
  if (!deps.policy.connectReusable && !(await finishConnectSession(tx.query, session.id, now))) {
    throw new Refusal(refusals.connect_session_finished);
  }
  await giveTryBack(tx.query, session.id);
  if (former) {
    if (!(await updateConnection(tx.query, former.id, draft, now)))
      throw new Refusal(refusals.invalid_connection);
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
