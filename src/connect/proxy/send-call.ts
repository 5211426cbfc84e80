import type { ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { hasBody } from "../../kernel/http/bodies/unread-rest.ts";
import type { Share } from "../../kernel/memory/byte-budget.ts";
import type { PipeOptions, PipeOutcome } from "../../kernel/outbound/outbound.ts";
import { inProcess } from "../catalogue/model/provider.ts";
import type { RoomDeps } from "../deps.ts";
import type { AdmittedCall } from "./admitted-call.ts";
import { ownBody, pipeOwnApi } from "./own-api.ts";
import { keptBody } from "./kept-body.ts";

export type Body = Buffer | Readable | undefined;

/** Kept where the call may have to be made again; "left" when the client went away before it was there. */
export const bodyOf = async (
  { incoming, asked, target }: Pick<AdmittedCall, "incoming" | "asked" | "target">,
  share: Share,
): Promise<Body | "left"> => {
  if (!hasBody(incoming.stream.headers)) return undefined;
  const request = incoming.takeStream();
  try {
    if (target.url.protocol === inProcess) return await ownBody(request, share);
    if (asked.retries === 0) return request;
    const body = await keptBody(request, share);
    return body.kind === "whole" ? body.bytes : body.stream;
  } catch (error) {
    if (request.destroyed && !request.complete) return "left";
    throw error;
  }
};

/** Makes the call once, to the provider or to this server itself. */
export const sendCall = (
  { outbound, ownApi }: Pick<RoomDeps, "outbound" | "ownApi">,
  { call, body }: { readonly call: AdmittedCall; readonly body: Body },
  { response, options }: { readonly response: ServerResponse; readonly options: PipeOptions },
): Promise<PipeOutcome> => {
  const { incoming, target, head, holder, connection } = call;
  const { method } = incoming;
  const { url, path } = target;
  if (url.protocol === inProcess) {
    const headers = { ...head.headers, ...head.add };
    const kept = Buffer.isBuffer(body) ? body : undefined;
    const from = incoming.client.address;
    return pipeOwnApi(ownApi, { from, method, path, headers, body: kept }, response, options);
  }
  const asker = { group: `key ${holder.keyId}`, member: String(connection.id) };
  const request = { method, url, path, headers: head.headers, add: head.add, body, asker };
  return outbound.pipe(request, response, options);
};
