import type { IncomingMessage, ServerResponse } from "node:http";
import { Refusal } from "../../kernel/errors.ts";
import type { HeadersOut } from "../../kernel/outbound/headers.ts";
import type { PipeOptions, PipeOutcome } from "../../kernel/outbound/outbound.ts";
import type { Share } from "../../kernel/memory/byte-budget.ts";
import type { OwnApi } from "../deps.ts";
import { keptBody } from "./kept-body.ts";
import { refusals } from "../model/refusals.ts";

/** Calls of the provider `latchkey`, which is this server: answered in this process, past the network. */

/** Of the connection that there is none of. */
const ofConnection: ReadonlySet<string> = new Set(["connection", "keep-alive", "transfer-encoding", "date"]);

/** @throws Refusal body_too_large, busy */
export const ownBody = async (request: IncomingMessage, share: Share): Promise<Buffer> => {
  const body = await keptBody(request, share);
  if (body.kind === "whole") return body.bytes;
  throw body.because === "large"
    ? new Refusal(refusals.body_too_large)
    : new Refusal(refusals.busy, { retryAfter: 1 });
};

export type OwnRequest = Parameters<OwnApi>[0];

export const pipeOwnApi = async (
  ownApi: OwnApi,
  request: OwnRequest,
  response: ServerResponse,
  options: Pick<PipeOptions, "head">,
): Promise<PipeOutcome> => {
  const { status, headers, body } = await ownApi(request);
  if (response.destroyed) return { ended: "left" };
  const kept: HeadersOut = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!ofConnection.has(name)) kept[name] = value;
  }
  const head = options.head(status, kept);
  if (!head) return { ended: "kept", status, headers: kept };
  response.writeHead(status, head);
  response.end(body);
  return { ended: "whole", status };
};
