// A wire between two programs that a test can cut.

import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export type Relay = {
  readonly port: number;
  /** Ends what runs over it, and refuses what comes. */
  cut(): Promise<void>;
  mend(): Promise<void>;
};

export const startRelay = async (to: { readonly host: string; readonly port: number }): Promise<Relay> => {
  const open = new Set<Socket>();
  const hold = (socket: Socket): Socket => {
    open.add(socket);
    return socket.on("close", () => open.delete(socket)).on("error", () => undefined);
  };
  const server = createServer((near) => {
    const far = hold(connect(to.port, to.host));
    hold(near).pipe(far).pipe(near);
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
  });
  const listen = async (port: number): Promise<number> => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("The relay has no port");
    return address.port;
  };
  const port = await listen(0);
  return {
    port,
    cut: async () => {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
    mend: async () => void (await listen(port)),
  };
};
