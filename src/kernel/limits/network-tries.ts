import { networksAround } from "../text/ip-address.ts";
import type { CountedTry, TryPolicy } from "./tries.ts";

/** How many times the tries of a /64 the networks around it have: fewer than they have /64s, and enough for neighbours. */
const shares = { 56: 8, 48: 32 } as const;

/**
 * A try of a network, and of those around it: whoever has 65,536 networks must not have as many times the tries.
 *
 * @param network of a client, as `ClientAddress` has it
 */
export const triesOfNetwork = (
  policy: TryPolicy,
  network: string,
): readonly [CountedTry, ...CountedTry[]] => [
  { policy, value: network },
  ...networksAround(network).map(({ network: value, bits }) => ({
    policy: { ...policy, name: `${policy.name}-${bits}`, tries: policy.tries * shares[bits] },
    value,
  })),
];
