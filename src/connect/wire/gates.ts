import type { Guard } from "../../kernel/http/route.ts";
import type { Caller, ConnectSession } from "../model/connect-session.ts";
import type { KeyHolder } from "../model/environment.ts";
import type { Scope } from "../model/scopes.ts";

/** What stands in front of this room's rows. */
export type Gates = {
  /** Lets a key in that has one of the scopes; any key, where none is named. */
  readonly key: (...anyOf: readonly Scope[]) => Guard<KeyHolder>;
  /** The same for a key, and any connect session. */
  readonly keyOrSession: (...anyOf: readonly Scope[]) => Guard<Caller>;
  readonly sessionInHeader: Guard<ConnectSession>;
  /** In the query, or in the header. */
  readonly sessionInQuery: Guard<ConnectSession>;
};
