import { z } from "zod";
import { route, type Route } from "../../kernel/http/route.ts";
import { metadataAnswer } from "../wire/answers.ts";
import { connectionId, integrationKey, metadataBody } from "../wire/bodies.ts";
import type { ConnectUseCases } from "../use-cases.ts";
import type { Gates } from "../wire/gates.ts";
import { connectBody, noQuery, parsePart, queryOf } from "../wire/input.ts";
import type { How } from "./set-metadata.ts";

const ways: readonly (readonly ["POST" | "PATCH", How, status: number, summary: string])[] = [
  ["POST", "replace", 201, "Replace what an app keeps with connections"],
  ["PATCH", "merge", 200, "Lay something over what an app keeps with connections"],
];

const meansOf = (status: number): string => (status === 201 ? "201: what was sent." : "What was sent.");

const olderQuery = z.strictObject({ provider_config_key: integrationKey });

/** What an app keeps with its connections: any JSON object (contract nango §1.9). */
export const metadataRoutes = (use: ConnectUseCases, { key }: Gates): readonly Route[] => {
  const guard = key("environment:connections:update");
  return ways.flatMap(([method, how, status, summary]) => [
    ...["/connections/metadata", "/connection/metadata"].map((path) =>
      route({
        method,
        path,
        summary,
        wire: "connect",
        guard,
        input: connectBody(metadataBody),
        answers: { means: meansOf(status), schema: metadataAnswer },
        run: async ({ input, principal, incoming }) => {
          noQuery(incoming);
          await use.setMetadata(principal.environment, input, how);
          return { status, json: input };
        },
      }),
    ),
    route({
      method,
      path: "/connection/{connection_id}/metadata",
      summary: `${summary} (the older path)`,
      wire: "connect",
      guard,
      input: connectBody(z.looseObject({})),
      answers: { means: meansOf(status), schema: z.looseObject({}) },
      run: async ({ input, principal, incoming }) => {
        const { provider_config_key: integration } = parsePart(
          olderQuery,
          queryOf(incoming),
          "invalid_query_params",
        );
        const id = parsePart(connectionId, incoming.param("connection_id"), "invalid_query_params");
        await use.setMetadata(
          principal.environment,
          { connection_id: id, provider_config_key: integration, metadata: input },
          how,
        );
        return { status, json: input };
      },
    }),
  ]);
};
