// A connection that a test keeps in its hand: it sends what and when it likes, and may read nothing.

import { connect, type Socket } from "node:net";

export type OpenLine = {
  /** What came back so far. */
  readonly text: () => string;
  /** The status of the first answer; undefined while there is none. 1xx are none. */
  readonly status: () => number | undefined;
  readonly send: (bytes: string | Buffer) => void;
  /** Sends the same again and again, as fast as it is taken, until the server cuts it off. */
  readonly sendForEver: (bytes: string | Buffer) => void;
  readonly isClosed: () => boolean;
  readonly hangUp: () => void;
};

export const openLine = (port: number): OpenLine => {
  const socket: Socket = connect(port, "127.0.0.1");
  let text = "";
  let isClosed = false;
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  // A server that cuts a connection on which bytes arrive resets it.
  socket.on("error", () => {});
  socket.on("close", () => {
    isClosed = true;
  });
  const sendForEver = (bytes: string | Buffer): void => {
    if (isClosed || socket.destroyed) return;
    socket.write(bytes, () => setImmediate(sendForEver, bytes));
  };
  return {
    text: () => text,
    status: () => {
      const found = /(?:^|\r\n)HTTP\/1\.1 ([2-5]\d\d)/.exec(text)?.[1];
      return found === undefined ? undefined : Number(found);
    },
    send: (bytes) => void socket.write(bytes),
    sendForEver,
    isClosed: () => isClosed,
    hangUp: () => void socket.destroy(),
  };
};

/** The head of a request, and what separates it from its body. */
export const head = (...lines: readonly string[]): string => `${lines.join("\r\n")}\r\n\r\n`;
