// Sends one request after another on each of some connections, and counts answers. A process of its own, so that its
// work is not counted as the server's.

import { connect, type Socket } from "node:net";

type Order = {
  readonly port: number;
  readonly connections: number;
  /** Whole requests; connection n begins with the nth and goes through all of them. */
  readonly requests: readonly string[];
  readonly milliseconds: number;
};

const status200 = Buffer.from("HTTP/1.1 200");
const headEnd = Buffer.from("\r\n\r\n");

/** How long the answer is, once its head is there; undefined before. */
const lengthOf = (bytes: Buffer): number | undefined => {
  const end = bytes.indexOf(headEnd);
  if (end < 0) return undefined;
  const length = /content-length: (\d+)/i.exec(bytes.subarray(0, end).toString("latin1"))?.[1];
  if (length === undefined) throw new Error("An answer without Content-Length");
  return end + headEnd.length + Number(length);
};

const run = ({ port, connections, requests, milliseconds }: Order): Promise<number> =>
  new Promise((resolve, reject) => {
    const payloads = requests.map((text) => Buffer.from(text));
    const sockets: Socket[] = [];
    let answered = 0;
    let open = connections;
    const until = performance.now() + milliseconds;

    for (let index = 0; index < connections; index++) {
      const socket = connect(port, "127.0.0.1");
      sockets.push(socket);
      socket.setNoDelay(true);
      let turn = index;
      let received: Buffer = Buffer.alloc(0);
      let expected: number | undefined;
      const next = (): void => {
        const payload = payloads[turn++ % payloads.length];
        if (payload) socket.write(payload);
      };
      socket.on("connect", next);
      socket.on("error", reject);
      socket.on("data", (chunk: Buffer) => {
        received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
        expected ??= lengthOf(received);
        if (expected === undefined || received.length < expected) return;
        if (received.compare(status200, 0, status200.length, 0, status200.length) !== 0) {
          reject(new Error(`Not a 200: ${received.toString("latin1").slice(0, 200)}`));
          return;
        }
        answered += 1;
        received = Buffer.alloc(0);
        expected = undefined;
        if (performance.now() < until) {
          next();
          return;
        }
        socket.end();
        open -= 1;
        if (open === 0) resolve(answered);
      });
    }
  });

process.on("message", (order: Order) => {
  run(order).then(
    (answered) => process.send?.({ answered }),
    (error: unknown) => process.send?.({ failed: String(error) }),
  );
});
