/** Whose turn it is on one connection: answers go out in the order of the requests (RFC 9112 §9.3.2). */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "../clock.ts";
import type { Log } from "../telemetry/log.ts";
import { createSampling } from "../telemetry/sampling.ts";
import { isEnding, limitRest } from "./bodies/unread-rest.ts";

/**
 * Requests that wait behind another one on their connection. A client that has sent more, and read no answer, is after
 * the memory that they take: whoever pipelines has to send again what was not answered anyway.
 */
const mostWaiting = 100;

type TurnDeps = { readonly clock: Clock; readonly log: Log };

/** @returns whether a request is taken up; its connection comes to an end when it is not */
export type TakeTurn = (request: IncomingMessage, response: ServerResponse) => boolean;

export const createTurns = ({ clock, log }: TurnDeps): TakeTurn => {
  const waiting = new WeakMap<Socket, number>();
  const sampling = createSampling(clock, { ofOneKey: 1, ofAll: 20 });

  const isOneTooMany = ({ socket }: IncomingMessage, response: ServerResponse): boolean => {
    // The first in line has the connection for itself.
    if (response.socket !== null) return false;
    const count = (waiting.get(socket) ?? 0) + 1;
    waiting.set(socket, count);
    response.once("close", () => waiting.set(socket, (waiting.get(socket) ?? 1) - 1));
    return count > mostWaiting;
  };

  return (request, response) => {
    const { socket } = request;
    // What came in one packet with the request at which the connection was cut, or behind the last one.
    if (socket.destroyed || isEnding(socket)) return false;
    if (isOneTooMany(request, response)) {
      const leftOut = sampling.pass(socket.remoteAddress ?? "");
      if (leftOut !== undefined) log.info("pipelining_cut", { waiting: mostWaiting, leftOut });
      socket.destroy();
      return false;
    }
    // RFC 9110 §7.8: this server speaks no other protocol, and may go on with this one. But Node reads no further
    // behind such a request, as if the other one began there.
    if (request.headers.upgrade !== undefined) response.setHeader("connection", "close");
    limitRest(request, response);
    return true;
  };
};
