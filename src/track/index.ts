import type { Clock } from "../kernel/clock.ts";
import type { PublicJwk } from "../kernel/crypto/jwt/signing-keys.ts";
import type { Guard, Limit, Route } from "../kernel/http/route.ts";
import type { Caller } from "./caller.ts";
import { createMetering } from "./metering.ts";
import type { ReadMeDeps } from "./me/read-me.ts";
import { trackRoutes } from "./routes.ts";
import { createUseCases, type AccountActions } from "./use-cases.ts";
import { trackWire } from "./wire.ts";

export { trackRefusals } from "./refusals.ts";
export { provision } from "./provision.ts";

type TrackDeps<Principal extends Caller, Email> = ReadMeDeps & {
  readonly clock: Clock;
  /** How often one credential may call. */
  readonly rate: Limit<Principal>;
  /** Calls an hour of one account. */
  readonly quota: number;
  readonly passwordMin: number;
  /** Who may call, and who they are. */
  readonly caller: Guard<Principal>;
  readonly accounts: AccountActions<Principal, Email>;
  readonly publicKeys: () => Promise<readonly PublicJwk[]>;
};

/**
 * What you may reach once known. The room does not know accounts: who calls, and what changes an account, are handed in.
 *
 * @example
 * const { routes } = createTrack({
 *   ...deps,
 *   caller: accounts.anyCredential,
 *   rate, // calls a second of one credential
 *   quota: 36_000, // calls an hour of one account
 * });
 */
export const createTrack = <Principal extends Caller, Email>(
  deps: TrackDeps<Principal, Email>,
): { readonly routes: readonly Route[] } => ({
  routes: trackRoutes(
    createUseCases(deps),
    { wire: trackWire(deps.quota), caller: deps.caller, metering: createMetering(deps) },
    {
      publicKeys: deps.publicKeys,
      rules: {
        passwordMin: deps.passwordMin,
        changeRefuses: deps.accounts.changeRefuses,
        closeRefuses: deps.accounts.closeRefuses,
      },
    },
  ),
});
