/** The way to a server of this machine, shut at first: connections are taken, and nothing passes. */

import { once } from "node:events";
import { connect, createServer } from "node:net";

export type Gate = {
  readonly port: number;
  /** Resolves when somebody stands before it. */
  readonly knocked: Promise<unknown>;
  readonly open: () => void;
  readonly stop: () => void;
};

export const startGate = async (to: number): Promise<Gate> => {
  const knocked = Promise.withResolvers<undefined>();
  const opened = Promise.withResolvers<undefined>();
  const server = createServer((near) => {
    near.on("error", () => undefined);
    knocked.resolve(undefined);
    void opened.promise.then(() => near.pipe(connect(to, "127.0.0.1")).pipe(near));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The gate has no port");
  return {
    port: address.port,
    knocked: knocked.promise,
    open: () => opened.resolve(undefined),
    stop: () => void server.close(),
  };
};
