/** What of a request is still to come when its answer is there (RFC 9112 §9.3, §9.6). */

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { second } from "../../clock.ts";
import { isUninvited } from "./invitation.ts";

/** Bytes that are taken off the line for nothing, so that the connection can go on. */
const shortBytes = 64 * 1024;

/** How long a client may go on sending what nobody reads any more. */
const longestMs = 2 * second;

/** Bytes that are still taken off the line behind the last answer of a connection. */
const lastBytes = 256 * 1024;
/** As many is a piece worth at least: it takes its time, however small it is. */
const leastOfPiece = 64;

export const hasBody = ({
  "content-length": length,
  "transfer-encoding": coding,
}: IncomingHttpHeaders): boolean => coding !== undefined || (length !== undefined && length !== "0");

/** Of a call in this process nothing says that it is complete but its end. */
const isUnread = (request: IncomingMessage): boolean =>
  !request.complete && !request.readableEnded && !request.destroyed && hasBody(request.headers);

/** Whether so much may still come that the connection ends with the answer. A body in chunks may have no end. */
export const isRestLong = (request: IncomingMessage): boolean =>
  isUnread(request) && !(Number(request.headers["content-length"]) <= shortBytes);

const ending = new WeakSet<Socket>();

/** Whether the last answer of a connection was written: nothing that still comes is taken up (RFC 9112 §9.6). */
export const isEnding = (socket: Socket): boolean => ending.has(socket);

/**
 * Writes the end of an answer. Where the connection ends with it while the client still sends, that end is held back
 * for a little while: whoever closes a connection on which bytes arrive resets it, and the client may lose the answer.
 *
 * @param body the last of it, or all
 * @param isLast no other request is answered on this connection
 */
export const endAnswer = (
  { request, response, isLast }: { request: IncomingMessage; response: ServerResponse; isLast: boolean },
  body: string | Buffer | undefined,
  waitMs = longestMs,
): void => {
  if (!isLast || !isUnread(request) || isUninvited(request)) {
    response.end(body);
    return;
  }
  ending.add(request.socket);
  if (body === undefined || body.length === 0) response.flushHeaders();
  else response.write(body);
  let dropped = 0;
  const onData = (piece: Buffer): void => {
    dropped += Math.max(leastOfPiece, piece.length);
    if (dropped > lastBytes) end();
  };
  const end = (): void => {
    clearTimeout(patience);
    request.off("data", onData).off("close", end);
    response.end();
  };
  const patience = setTimeout(end, waitMs);
  request.on("error", () => {});
  request.on("close", end).on("data", onData);
};

/** Cuts the connection when what is left of a request behind its answer takes too long. */
export const limitRest = (request: IncomingMessage, response: ServerResponse, waitMs = longestMs): void => {
  if (!hasBody(request.headers)) return;
  response.once("finish", () => {
    if (!isUnread(request)) return;
    const patience = setTimeout(() => request.destroy(), waitMs).unref();
    request.once("close", () => clearTimeout(patience));
  });
};
