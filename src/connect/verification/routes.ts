import { z } from "zod";
import { route, type Route } from "../../kernel/http/route.ts";
import type { ConnectUseCases } from "../use-cases.ts";
import { keyCallerOf } from "../wire/actor.ts";
import { accountAnswer } from "../wire/answers.ts";
import { connectionId, integrationKey } from "../wire/bodies.ts";
import type { Gates } from "../wire/gates.ts";
import { connectBody } from "../wire/input.ts";
import { connectWire } from "../wire/wire.ts";
import { verificationRefuses } from "./verify-credentials.ts";
import { asBadRequest, refusals } from "../model/refusals.ts";

const notFound = [asBadRequest.unknown_provider_config, refusals.not_found];

const verifyBody = z.strictObject({ connection_id: connectionId, provider_config_key: integrationKey });

const findingAnswer = z.object({
  connection_id: z.string(),
  provider_config_key: z.string(),
  state: z.enum(["live", "failing", "revoked"]),
  state_reason: z.string().nullable(),
  last_verified_at: z.string().nullable(),
  account: accountAnswer.nullable(),
});

/** Whether the credentials that are kept still work (contract nango §1.9). */
export const verificationRoutes = (use: ConnectUseCases, { key }: Gates): readonly Route[] => [
  route({
    method: "POST",
    path: "/connections/verify",
    summary: "Ask the provider now whether a connection's credentials work",
    wire: connectWire,
    guard: key("environment:connections:update"),
    input: connectBody(verifyBody),
    refuses: [...notFound, refusals.unknown_connection, refusals.connection_failing, ...verificationRefuses],
    answers: {
      means: "What the provider says; the connection's state is that now.",
      schema: findingAnswer,
    },
    run: async ({ input, principal, incoming }) => {
      const now = await use.verifyConnection(keyCallerOf(principal, incoming), {
        integrationKey: input.provider_config_key,
        connectionId: input.connection_id,
      });
      return {
        json: {
          connection_id: now.connectionId,
          provider_config_key: now.integrationKey,
          state: now.state,
          state_reason: now.stateReason,
          last_verified_at: now.lastVerifiedAt === null ? null : new Date(now.lastVerifiedAt).toISOString(),
          account: now.account,
        },
      };
    },
  }),
];
