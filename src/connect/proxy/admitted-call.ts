import type { Incoming } from "../../kernel/http/incoming.ts";
import type { KeyHolder } from "../model/environment.ts";
import type { Asked, ForwardedHead } from "./asked.ts";
import type { ReadyConnection } from "./credential-cache.ts";
import type { Target } from "./target.ts";

export type ProviderCall = {
  readonly holder: KeyHolder;
  readonly asked: Asked;
  readonly incoming: Incoming;
  /** Path and query with `/proxy` before them, where those of the request itself are not meant. */
  readonly sent?: string;
};

/** A call whose every rule was checked; what is left is to make it. */
export type AdmittedCall = ProviderCall & {
  readonly connection: ReadyConnection;
  readonly target: Target;
  readonly head: ForwardedHead;
};

/** Whether the provider saw the connection's own credentials, and not what the caller put in their place. */
export const sentOwn = ({
  connection: { parts },
  head,
}: Pick<AdmittedCall, "connection" | "head">): boolean =>
  parts.sensitive.every((name) => head.add[name] === parts.headers[name]);
