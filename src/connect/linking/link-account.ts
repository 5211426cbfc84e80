import { Refusal } from "../../kernel/errors.ts";
import { apartFrom, checkFields, type Texts } from "../catalogue/check-fields.ts";
import { prepareRequest } from "../catalogue/request-parts.ts";
import type { RoomDeps } from "../deps.ts";
import type { Connection } from "../model/connection.ts";
import { connectionByRow } from "../store/connections.ts";
import { openConfig, openDefaults, openKeptConfig } from "../vault/vault.ts";
import { verifyCredentials, type Verified } from "../verification/verify-credentials.ts";
import { whileCounted } from "./count-link-tries.ts";
import { keepLink, type Linked } from "./keep-link.ts";
import { noteRefusal, type NoteRefusal } from "./note-refusal.ts";
import { formerOf, type Submission } from "./submission.ts";
import { refusals } from "../model/refusals.ts";

type Deps = Pick<
  RoomDeps,
  | "store"
  | "clock"
  | "random"
  | "rootKeys"
  | "destinationKey"
  | "tries"
  | "audit"
  | "log"
  | "outbound"
  | "ownApi"
  | "policy"
  | "tell"
>;

export type LinkAccount = (submission: Submission) => Promise<Linked>;

/** @throws Refusal input_invalid, connection_failing */
const configOf = (
  deps: Pick<Deps, "rootKeys" | "destinationKey" | "log">,
  { session, integration, provider, config }: Submission,
  former: Connection | undefined,
): Texts => {
  const fields = provider.connection_config;
  const kept = former && { ...former.config, ...openKeptConfig(deps, former) };
  // What the app has laid down is not for the person to change.
  const laidDown = {
    ...session.terms.configDefaults[integration.uniqueKey],
    ...openDefaults(deps, session)[integration.uniqueKey],
  };
  const { known, foreign } = apartFrom(fields, kept ?? {});
  return { ...foreign, ...checkFields(fields, { ...known, ...config, ...laidDown }, "params") };
};

/** @param config of the connection. @throws Refusal connection_failing, and all of verify-credentials.ts */
const verifiedOf = async (
  deps: Deps & { readonly note: NoteRefusal },
  submission: Submission,
  { former, config }: { readonly former: Connection | undefined; readonly config: Texts },
): Promise<Verified> => {
  const { session, integration, provider, shape, credentials, peer } = submission;
  const asker = { group: "links", member: String(session.id) };
  const integrationConfig = { ...integration.config, ...openConfig(deps, integration) };
  const keepPassword = integration.config["keep_password"] === true;
  try {
    const prepared = prepareRequest(provider, { credentials, connectionConfig: config, integrationConfig });
    return await verifyCredentials(deps)({
      prepared,
      shape,
      integration,
      keepPassword,
      from: peer.address,
      asker,
    });
  } catch (error) {
    if (error instanceof Refusal) await deps.note(submission, { former, refusal: error });
    throw error;
  }
};

/**
 * Links an account: the provider is asked, and only what it accepted is kept, sealed. Linking anew keeps metadata, tags,
 * configuration and webhook address of the connection, unless the session says otherwise.
 *
 * @throws Refusal connect_session_finished, rate_limited, invalid_connection, different_account,
 * unknown_provider_config, connection_failing, and all of verify-credentials.ts
 */
export const linkAccount = (given: Deps): LinkAccount => {
  const deps = { ...given, note: noteRefusal(given) };
  const { store, policy } = deps;

  return async (submission) => {
    const { session } = submission;
    if (session.finishedAt !== null && !policy.connectReusable)
      throw new Refusal(refusals.connect_session_finished);
    const former = await formerOf(session, (row) => connectionByRow(store.query, row));
    const config = configOf(deps, submission, former);
    return whileCounted(deps, submission, async () => {
      const verified = await verifiedOf(deps, submission, { former, config });
      return store.transaction((tx) => keepLink(deps, tx, { submission, accepted: { verified, config } }));
    });
  };
};
