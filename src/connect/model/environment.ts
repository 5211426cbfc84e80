import type { Appearance } from "./appearance.ts";
import type { Scope } from "./scopes.ts";

/** A fence: keys, integrations, sessions and connections of one environment know nothing of another's. */
export type Environment = {
  readonly id: number;
  readonly name: string;
  /** Origins of apps that may open the form; empty: any. */
  readonly connectOrigins: readonly string[];
  readonly appearance: Appearance;
};

/** Who calls on the Connect wire with an API key. */
export type KeyHolder = {
  readonly environment: Environment;
  readonly keyId: number;
  readonly keyName: string;
  readonly scopes: ReadonlySet<Scope>;
};

/**
 * The number by which the change feed names an environment, whose keys, integrations and connections are cached. Those
 * of accounts are above zero.
 */
export const feedIdOf = (environmentId: number): number => -environmentId;
