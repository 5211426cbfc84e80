// Bytes as no HTTP client would send them.

import { connect } from "node:net";

export type RawReply = {
  readonly status: number;
  /** Status line and headers, as they came. */
  readonly head: string;
  readonly body: string;
};

/** Sends the bytes to a port of this machine and takes what comes back until the server closes the connection. */
export const exchange = (port: number, bytes: string | Buffer): Promise<RawReply> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    const chunks: Buffer[] = [];
    socket.setTimeout(15_000, () => socket.destroy(new Error("The server kept the connection open.")));
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", reject);
    socket.on("close", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      const [head = "", ...rest] = text.split("\r\n\r\n");
      resolve({
        status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0),
        head,
        body: rest.join("\r\n\r\n"),
      });
    });
  });

/** A request of lines, which asks for the connection to be closed behind the answer. */
export const lines = (...text: readonly string[]): string =>
  `${text.join("\r\n")}\r\nConnection: close\r\n\r\n`;

/** A body in chunks, for `Transfer-Encoding: chunked`. */
export const chunked = (...parts: readonly (string | Buffer)[]): Buffer =>
  Buffer.concat([
    ...parts.flatMap((part) => [
      Buffer.from(`${Buffer.byteLength(part).toString(16)}\r\n`),
      Buffer.from(part),
      Buffer.from("\r\n"),
    ]),
    Buffer.from("0\r\n\r\n"),
  ]);
