import { randomUUID } from "node:crypto";
import { createSampling } from "../../kernel/telemetry/sampling.ts";
import type { Refusal } from "../../kernel/errors.ts";
import type { RoomDeps } from "../deps.ts";
import type { Connection } from "../model/connection.ts";
import { tagsOf } from "../model/end-user.ts";
import type { Submission } from "./submission.ts";

export type NoteRefusal = (
  submission: Pick<Submission, "session" | "integration" | "peer">,
  refused: { readonly former: Connection | undefined; readonly refusal: Refusal },
) => Promise<void>;

/** A minute, of all sessions together: what strangers can do at will is not to fill a disk. */
const mostOfAll = 1000;

/**
 * The app learns that its user tried in vain, and why; so does whoever reads the audit. The same refusal of a session and
 * an integration is told once a minute, and then with how often it happened since.
 */
export const noteRefusal = ({
  store,
  clock,
  audit,
  tell,
}: Pick<RoomDeps, "store" | "clock" | "audit" | "tell">): NoteRefusal => {
  const sampling = createSampling(clock, { ofOneKey: 1, ofAll: mostOfAll });

  return async ({ session, integration, peer }, { former, refusal }) => {
    const { environment, terms } = session;
    const leftOut = sampling.pass(`${session.digest} ${integration.id} ${refusal.code}`);
    if (leftOut === undefined) return;
    const times = leftOut + 1;
    await store.transaction(async (tx) => {
      await audit.record(tx.query, {
        event: "link_refused",
        outcome: "refused",
        channel: "connect_session",
        address: peer.address,
        details: {
          environment: environment.name,
          integration: integration.uniqueKey,
          code: refusal.code,
          ...(times > 1 ? { times } : {}),
        },
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
        times,
        error: { type: refusal.code, description: refusal.message },
      });
    });
  };
};
