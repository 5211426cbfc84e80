import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { endAnswer, limitRest } from "./unread-rest.ts";

/** A real server that answers at once, and a client that has sent a part of its body by then. */
const answered = async (
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  head: string,
) => {
  const server = createServer({ keepAliveTimeout: 600_000 }, answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("not listening on a port");
  const socket = connect({ port: address.port, host: "127.0.0.1", allowHalfOpen: true });
  let text = "";
  let isOver = false;
  socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  socket.on("error", () => {});
  socket.on("end", () => (isOver = true)).on("close", () => (isOver = true));
  onTestFinished(() => {
    socket.destroy();
    server.close();
    server.closeAllConnections();
  });
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n`);
  await expect.poll(() => text).toContain("told");
  return { socket, isOver: () => isOver };
};

const last =
  (waitMs: number) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(401, { connection: "close", "content-length": 4 });
    endAnswer({ request, response, isLast: true }, "told", waitMs);
  };

const chunk = `1000\r\n${"p".repeat(0x1000)}\r\n`;

test("the end of a connection waits for a client that still sends, until it has sent everything", async () => {
  const { socket, isOver } = await answered(last(600_000), "Transfer-Encoding: chunked");
  socket.write(chunk);
  // Whatever the server was about to do is done when it has answered another one.
  await answered(last(1), "Content-Length: 0");
  expect(isOver()).toBe(false);
  socket.write("0\r\n\r\n");
  await expect.poll(isOver).toBe(true);
});

test("it waits for so many bytes, and no more", async () => {
  const { socket, isOver } = await answered(last(600_000), "Transfer-Encoding: chunked");
  for (let sent = 0; sent <= 65; sent += 1) socket.write(chunk);
  await expect.poll(isOver).toBe(true);
});

test("it waits for so many pieces, however small, and no more", async () => {
  const { socket, isOver } = await answered(last(600_000), "Transfer-Encoding: chunked");
  socket.write("1\r\np\r\n".repeat(4097));
  await expect.poll(isOver).toBe(true);
});

test("it waits for so long, and no longer", async () => {
  const { isOver } = await answered(last(1), "Content-Length: 1000000");
  await expect.poll(isOver).toBe(true);
});

test("a rest that does not come ends a connection that could go on", async () => {
  const { isOver } = await answered((request, response) => {
    limitRest(request, response, 1);
    response.end("told");
  }, "Content-Length: 10");
  await expect.poll(isOver).toBe(true);
});

test("a rest that comes ends nothing", async () => {
  const { socket, isOver } = await answered((request, response) => {
    limitRest(request, response, 600_000);
    response.end("told");
  }, "Content-Length: 10");
  socket.write("0123456789");
  await answered(last(1), "Content-Length: 0");
  expect(isOver()).toBe(false);
});
