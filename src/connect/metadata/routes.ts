import { z } from "zod";
import { route, type Route } from "../../kernel/http/route.ts";
import { metadataAnswer } from "../wire/answers.ts";
import { connectionId, integrationKey, metadataBody, whichIntegration } from "../wire/bodies.ts";
import type { ConnectUseCases } from "../use-cases.ts";
import type { Gates } from "../wire/gates.ts";
import { connectBody, keyInHeader, namingQuery, parsePart } from "../wire/input.ts";
import type { How } from "./set-metadata.ts";
import { connectWire } from "../wire/wire.ts";
import { refusals } from "../model/refusals.ts";

const ways: readonly (readonly ["POST" | "PATCH", How, status: 200 | 201, summary: string])[] = [
  ["POST", "replace", 201, "Replace what an app keeps with connections"],
  ["PATCH", "merge", 200, "Lay something over what an app keeps with connections"],
];

const olderQuery = namingQuery(
  z.strictObject({ provider_config_key: integrationKey.describe(whichIntegration) }),
);

const metadataRefuses = [refusals.unknown_connection, refusals.busy];

/** What an app keeps with its connections: any JSON object (contract nango §1.9). */
export const metadataRoutes = (use: ConnectUseCases, { key }: Gates): readonly Route[] => {
  const guard = key("environment:connections:update");
  return ways.flatMap(([method, how, status, summary]) => [
    ...["/connections/metadata", "/connection/metadata"].map((path) =>
      route({
        method,
        path,
        summary,
        wire: connectWire,
        guard,
        input: connectBody(metadataBody),
        status,
        refuses: metadataRefuses,
        answers: { means: "What was sent.", schema: metadataAnswer },
        run: async ({ input, principal }) => {
          await use.setMetadata(principal.environment, input, how);
          return { json: input };
        },
      }),
    ),
    route({
      method,
      path: "/connection/{connection_id}/metadata",
      summary: `${summary} (the older path)`,
      wire: connectWire,
      guard,
      input: connectBody(z.looseObject({})),
      status,
      query: olderQuery,
      headers: keyInHeader,
      refuses: metadataRefuses,
      answers: { means: "What was sent.", schema: z.looseObject({}) },
      run: async ({ params, query, input, principal }) => {
        const id = parsePart(connectionId, params.connection_id, refusals.invalid_query_params);
        await use.setMetadata(
          principal.environment,
          { connection_id: id, provider_config_key: query.provider_config_key, metadata: input },
          how,
        );
        return { json: input };
      },
    }),
  ]);
};
