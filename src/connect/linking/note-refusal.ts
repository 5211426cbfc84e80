import { randomUUID } from "node:crypto";
import type { Refusal } from "../../kernel/errors.ts";
import type { RoomDeps } from "../deps.ts";
import type { Connection } from "../model/connection.ts";
import { tagsOf } from "../model/end-user.ts";
import type { Submission } from "./submission.ts";

/** The app learns that its user tried in vain, and why; so does whoever reads the audit. */
export const noteRefusal = async (
  { store, audit, tell }: Pick<RoomDeps, "store" | "audit" | "tell">,
  { session, integration, peer }: Pick<Submission, "session" | "integration" | "peer">,
  { former, refusal }: { readonly former: Connection | undefined; readonly refusal: Refusal },
): Promise<void> => {
  const { environment, terms } = session;
  await store.transaction(async (tx) => {
    await audit.record(tx.query, {
      event: "link_refused",
      outcome: "refused",
      channel: "connect_session",
      address: peer.address,
      details: { environment: environment.name, integration: integration.uniqueKey, code: refusal.code },
    });
    await tell(tx, {
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
