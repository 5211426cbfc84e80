import type { Guard } from "../../kernel/http/route.ts";
import type { Wire } from "../../kernel/http/wire.ts";
import type { Caller } from "../caller.ts";
import type { Metering } from "../metering.ts";

/** What rows of this room ask of a caller before anything else. */
export type Gates<Principal extends Caller> = {
  readonly wire: Wire;
  readonly caller: Guard<Principal>;
  readonly metering: Metering<Principal>;
};

/** What nearly every row begins with. */
export const guardedBy = <Principal extends Caller>({ wire, caller, metering }: Gates<Principal>) =>
  ({ wire, guard: caller, limit: metering.count }) as const;
