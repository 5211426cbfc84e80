/** Clients that send a body only when they are asked for it (`Expect: 100-continue`, RFC 9110 §10.1.1). */

import type { IncomingMessage, ServerResponse } from "node:http";

const waiting = new WeakMap<IncomingMessage, ServerResponse>();

/** Node asks them at once, unless it is told to hold it back. */
export const holdInvitation = (request: IncomingMessage, response: ServerResponse): void => {
  waiting.set(request, response);
};

/** Whether a client waits to be asked, and so has probably sent nothing. */
export const isUninvited = (request: IncomingMessage): boolean => waiting.has(request);

/** Asks a client that waits for it, once; any other is not concerned. */
export const inviteBody = (request: IncomingMessage): void => {
  const response = waiting.get(request);
  if (response === undefined) return;
  waiting.delete(request);
  // Its end may have been reached without it.
  if (!response.headersSent && !response.destroyed) response.writeContinue();
};
