/** A server that passes whatever it is asked on to a stranger, and notes how each passage ended. */

import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { Outbound, PipeOptions, PipeOutcome, PipeRequest } from "../outbound.ts";

export type PassingServer = {
  readonly port: number;
  readonly outcomes: readonly PipeOutcome[];
  /** What a passage threw, which is always a bug of the caller's. */
  readonly thrown: readonly unknown[];
  readonly stop: () => Promise<void>;
};

type Passing = {
  readonly outbound: Outbound;
  readonly origin: string;
  readonly request?: (incoming: IncomingMessage) => Partial<PipeRequest>;
  readonly options?: Partial<PipeOptions>;
};

/** A passage that wrote nothing becomes a 502 that says how it ended. */
export const startPassing = async ({
  outbound,
  origin,
  request,
  options,
}: Passing): Promise<PassingServer> => {
  const outcomes: PipeOutcome[] = [];
  const thrown: unknown[] = [];
  const server = createServer((incoming, response) => {
    const { method = "GET", url = "/", headers } = incoming;
    const hasBody = "content-length" in headers || "transfer-encoding" in headers;
    outbound
      .pipe(
        {
          method,
          url: new URL(url, origin),
          headers,
          body: hasBody ? incoming : undefined,
          ...request?.(incoming),
        },
        response,
        { head: (_status, kept) => kept, ...options },
      )
      .then((outcome) => {
        outcomes.push(outcome);
        if (response.headersSent || response.destroyed) return;
        response.statusCode = 502;
        response.end(outcome.ended === "failed" ? outcome.fault.kind : outcome.ended);
      })
      .catch((error: unknown) => {
        thrown.push(error);
        response.destroy();
      });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port");
  return {
    port: address.port,
    outcomes,
    thrown,
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
};
