import { Refusal } from "../../kernel/errors.ts";
import { anyQuery, unread } from "../../kernel/http/input.ts";
import { anyone, route, type Method, type Route } from "../../kernel/http/route.ts";
import { refusals } from "../model/refusals.ts";
import { connectWire } from "./wire.ts";

/** Calls of the original that Latchkey does not have, so that its clients are told so and not that nothing is there. */
const calls: readonly (readonly [Method, path: string, what: string])[] = [
  ["GET", "/providers/{provider}/templates", "templates of functions"],
  ["POST", "/integrations/quickstart", "shared OAuth apps"],
  ["GET", "/environment-variables", "environment variables"],
  ["POST", "/auth/two-step/{integration_key}", "sign-in in two steps"],
  ["POST", "/auth/signature/{integration_key}", "signed requests"],
  ["POST", "/auth/aws-sigv4/{integration_key}", "signed requests"],
  ["POST", "/auth/bill/{integration_key}", "credentials of Bill"],
  ["POST", "/auth/jwt/{integration_key}", "JWT"],
  ["POST", "/auth/tba/{integration_key}", "token-based authentication"],
  ["POST", "/auth/oauth-outbound/{integration_key}", "OAuth"],
  ["POST", "/app-store-auth/{integration_key}", "app stores"],
  ["POST", "/oauth2/auth/{integration_key}", "OAuth"],
  ["GET", "/oauth/connect/{integration_key}", "OAuth"],
  ["GET", "/oauth/callback", "OAuth"],
  ["GET", "/app-auth/connect", "app installations"],
  ["ANY", "/integrations/{integration_key}/functions", "functions"],
  ["ANY", "/integrations/{integration_key}/functions/{rest*}", "functions"],
  ["ANY", "/functions", "functions"],
  ["ANY", "/functions/{rest*}", "functions"],
  ["ANY", "/mcp", "MCP"],
  ["ANY", "/mcp/{rest*}", "MCP"],
  ["ANY", "/v1/{rest*}", "functions"],
  ["POST", "/cli/telemetry", "telemetry"],
  ["ANY", "/metadata", "metadata without a connection: it is at /connections/metadata"],
  ["GET", "/health", "this path: health is at /healthz and /readyz"],
  ["ANY", "/connections/{connection_id}/config", "changes of a configuration alone: link or bring it anew"],
  ["ANY", "/connection/{connection_id}/config", "changes of a configuration alone: link or bring it anew"],
  ["ANY", "/environments", "calls for environments: the operator makes them"],
  ["ANY", "/scripts/{rest*}", "functions"],
  ["ANY", "/action/{rest*}", "actions"],
  ["ANY", "/sync/{rest*}", "syncs"],
  ["ANY", "/records", "syncs"],
  ["ANY", "/records/{rest*}", "syncs"],
];

export const unsupportedRoutes: readonly Route[] = calls.map(([method, path, what]) =>
  route({
    method,
    path,
    summary: `Not supported: ${what}`,
    wire: connectWire,
    guard: anyone,
    input: unread,
    query: anyQuery,
    notSupported: true,
    refuses: [refusals.not_supported],
    answers: { means: "Never." },
    run: () => {
      throw new Refusal(refusals.not_supported, { text: `Latchkey does not have ${what}` });
    },
  }),
);
