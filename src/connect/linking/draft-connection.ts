import type { Texts } from "../catalogue/check-fields.ts";
import type { Provider } from "../catalogue/model/provider.ts";
import type { RoomDeps } from "../deps.ts";
import type { Connection, Integration } from "../model/connection.ts";
import type { ConnectionDraft } from "../store/write-connections.ts";
import { splitSecrets } from "../vault/secret-fields.ts";
import { sealKept } from "../vault/vault.ts";
import type { Verified } from "../verification/verify-credentials.ts";

/** What was found out before anything is written. */
export type Accepted = { readonly verified: Verified; readonly config: Texts };

/** What an app says of a connection besides. */
type Labels = "metadata" | "endUser" | "tags" | "webhookUrlOverride";

/** A connection with these credentials, sealed for its place; over a former one, as its next version. */
export const draftConnection = (
  deps: Pick<RoomDeps, "clock" | "random" | "rootKeys" | "destinationKey">,
  {
    integration,
    provider,
    ...at
  }: {
    readonly integration: Integration;
    readonly provider: Provider;
    readonly connectionId: string;
    readonly former: Connection | undefined;
  },
  { verified, config }: Accepted,
): Omit<ConnectionDraft, Labels> => {
  const { open, secret } = splitSecrets(provider.connection_config, config);
  const place = {
    environmentId: integration.environmentId,
    integrationId: integration.id,
    connectionId: at.connectionId,
    sealedVersion: (at.former?.sealedVersion ?? 0) + 1,
    shape: verified.shape,
    origin: verified.origin,
    config: open,
  };
  return {
    ...place,
    sealed: sealKept(
      deps,
      { ...place, integrationKey: integration.uniqueKey, provider: integration.provider },
      { credentials: verified.credentials, config: secret },
    ),
    account: verified.account,
    state: "live",
    stateReason: null,
    lastVerifiedAt: verified.account === null ? null : deps.clock.now(),
  };
};
