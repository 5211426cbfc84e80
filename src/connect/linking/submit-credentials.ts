import type { Provider } from "../catalogue/model/provider.ts";
import type { ConnectDeps } from "../deps.ts";
import type { ConnectSession } from "../model/connect-session.ts";
import type { Integration } from "../model/connection.ts";
import type { Linked } from "./keep-link.ts";
import type { LinkAccount } from "./link-account.ts";
import { credentialsOf, targetOf, type Submission } from "./submission.ts";

/** What somebody sends from a form, before it is understood. */
export type Submitted = Pick<Submission, "config" | "confirmed" | "peer"> & {
  readonly integrationKey: string;
  readonly mode: Provider["auth_mode"];
  /** In the fields of the wire. */
  readonly sent: Readonly<Record<string, unknown>>;
};

/** @throws Refusal as submission.ts and link-account.ts */
export const submitCredentials =
  (deps: Pick<ConnectDeps, "store" | "catalogue">, link: LinkAccount) =>
  async (
    session: ConnectSession,
    { integrationKey, mode, sent, ...submitted }: Submitted,
  ): Promise<Linked & { readonly integration: Integration }> => {
    const { integration, provider } = await targetOf(deps, session, integrationKey, mode);
    const linked = await link({
      session,
      integration,
      provider,
      ...credentialsOf(provider, sent),
      ...submitted,
    });
    return { ...linked, integration };
  };
