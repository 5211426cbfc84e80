import { z } from "zod";
import type { PublicJwk } from "../kernel/crypto/jwt/signing-keys.ts";
import { noBody } from "../kernel/http/input.ts";
import { anyone, route, type Route } from "../kernel/http/route.ts";
import { plainWire } from "../kernel/http/wire.ts";
import type { Caller } from "./caller.ts";
import { entryRoutes } from "./entries/routes.ts";
import { meRoutes, type AccountRules } from "./me/routes.ts";
import type { TrackUseCases } from "./use-cases.ts";
import type { Gates } from "./wire/gates.ts";
import { workspaceRoutes } from "./workspaces/routes.ts";

/** Other servers may keep the public keys for a minute; a revoked one is gone from here at once. */
const keysHeaders = { "cache-control": "public, max-age=60" };

const keySet = z.object({ keys: z.array(z.object({ kid: z.string(), x: z.string() }).loose()) });

/** What Toggl's clients ask of the server itself. */
const serverRoutes = (
  { wire }: Pick<Gates<Caller>, "wire">,
  publicKeys: () => Promise<readonly PublicJwk[]>,
): readonly Route[] => {
  const keys = async () => ({ json: { keys: await publicKeys() }, headers: keysHeaders });
  return [
    route({
      method: "GET",
      path: "/api/v9/status",
      summary: "Whether the API answers",
      wire,
      guard: anyone,
      input: noBody,
      answers: { means: "It does.", schema: z.object({ status: z.literal("OK") }) },
      run: () => ({ json: { status: "OK" } }),
    }),
    route({
      method: "GET",
      path: "/api/v9/keys",
      summary: "The public keys of session tokens (JWKS)",
      wire,
      guard: anyone,
      input: noBody,
      answers: { means: "Every key that still verifies.", schema: keySet },
      run: keys,
    }),
    route({
      method: "GET",
      path: "/.well-known/jwks.json",
      summary: "The public keys of session tokens (JWKS)",
      wire: plainWire,
      guard: anyone,
      input: noBody,
      answers: { means: "Every key that still verifies.", schema: keySet },
      run: keys,
    }),
  ];
};

/** Toggl Track's API v9. */
export const trackRoutes = <Principal extends Caller>(
  use: TrackUseCases<Principal>,
  gates: Gates<Principal>,
  deps: { readonly publicKeys: () => Promise<readonly PublicJwk[]>; readonly rules: AccountRules },
): readonly Route[] => [
  ...meRoutes(use, gates, deps.rules),
  ...workspaceRoutes(use, gates),
  ...entryRoutes(use, gates),
  ...serverRoutes(gates, deps.publicKeys),
];
