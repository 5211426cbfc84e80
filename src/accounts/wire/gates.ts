import type { Guard, Limit } from "../../kernel/http/route.ts";
import type { Principal } from "../model/account.ts";

/** What stands in front of this room's rows. */
export type Gates = {
  readonly anyCredential: Guard<Principal>;
  readonly cookieOrPassword: Guard<Principal>;
  /** On calls of somebody who is signed in. */
  readonly limit: Limit<Principal>;
};
