// A stranger's API on this machine that answers by script, well or badly, and notes what it was asked.

import { once } from "node:events";
import {
  createServer as createHttpServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { TLSSocket } from "node:tls";
import type { Certificate } from "./certificate.ts";

/** What comes at one path. Without anything: 200 and no body. */
export type Script = {
  readonly status?: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  /** Sends the body in pieces of so many bytes, with a pause of some milliseconds after each. */
  readonly drip?: { readonly bytes: number; readonly everyMs: number };
  /** In place of `body`: so many bytes, written as fast as they are taken. */
  readonly bytes?: number;
  /** The Content-Length that it claims, true or not. Without one, and without a drip, the true one. */
  readonly claims?: number;
  /** In chunks, without a Content-Length. */
  readonly chunked?: boolean;
  /** Reads nothing of the request's body, and answers nothing, before this. */
  readonly after?: Promise<unknown>;
  /** Answers before the body of the request is there. */
  readonly early?: boolean;
  /** What comes after the body: its end unless said. */
  readonly then?: "hang" | "reset" | "close";
  /** Instead of an answer. */
  readonly instead?: "hang" | "reset" | "close" | { readonly bytes: string };
};

export type Asked = {
  readonly method: string;
  /** Path and query as they came. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  /** The TLS name that was asked for. */
  readonly servername: string | undefined;
  /** The first mebibyte of the body. */
  body: Buffer;
  received: number;
  /** The body came to its end. */
  isWhole: boolean;
  /** Bytes of the answer's body that were taken off our hands. */
  sent: number;
  /** How it ended, as far as it did: `cut` when the other side left. */
  ended: "answered" | "cut" | undefined;
};

export type Upstream = {
  readonly origin: string;
  readonly port: number;
  url(path: string): URL;
  readonly asked: readonly Asked[];
  /** Connections that were ever made, and those that are open. */
  readonly connections: number;
  readonly open: number;
  answers(path: string, script: Script | ((asked: Asked) => Script)): void;
  stop(): Promise<void>;
};

const kept = 1024 * 1024;
const piece = Buffer.alloc(64 * 1024, "0123456789abcdef");

const receive = async (request: IncomingMessage, asked: Asked): Promise<void> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    if (asked.received < kept) chunks.push(chunk);
    asked.received += chunk.length;
  }
  asked.body = Buffer.concat(chunks);
  asked.isWhole = true;
};

/** Until the other side took what was written. */
const taken = (response: ServerResponse): Promise<void> =>
  new Promise((resolve, reject) => {
    const end = (): void => {
      response.off("drain", end).off("close", end);
      if (response.destroyed) reject(new Error("The other side left"));
      else resolve();
    };
    response.on("drain", end).on("close", end);
  });

const put = async (response: ServerResponse, asked: Asked, chunk: Buffer): Promise<void> => {
  if (response.destroyed) throw new Error("The other side left");
  if (!response.write(chunk)) await taken(response);
  asked.sent += chunk.length;
};

const headOf = (script: Script, body: Buffer): OutgoingHttpHeaders => {
  const { headers = {}, claims, bytes = body.length, chunked, drip } = script;
  if (claims === undefined && (chunked === true || drip)) return headers;
  return { "content-length": claims ?? bytes, ...headers };
};

const part = (how: "hang" | "reset" | "close" | undefined, socket: Socket): void => {
  if (how === "reset") socket.resetAndDestroy();
  if (how === "close") socket.end();
};

const perform = async (
  script: Script,
  request: IncomingMessage,
  response: ServerResponse,
  asked: Asked,
): Promise<void> => {
  const { socket } = request;
  await script.after;
  const received = receive(request, asked);
  if (script.early === true) received.catch(() => undefined);
  else await received;
  const { instead, bytes, drip } = script;
  if (typeof instead === "object") socket.end(instead.bytes);
  else part(instead, socket);
  if (instead !== undefined) return;

  const body = Buffer.from(script.body ?? "");
  response.strictContentLength = false;
  response.writeHead(script.status ?? 200, headOf(script, body));
  if (bytes !== undefined) {
    for (let left = bytes; left > 0; left -= piece.length) {
      await put(response, asked, left < piece.length ? piece.subarray(0, left) : piece);
    }
  } else if (drip) {
    response.flushHeaders();
    for (let from = 0; from < body.length; from += drip.bytes) {
      await put(response, asked, body.subarray(from, from + drip.bytes));
      await wait(drip.everyMs);
    }
  } else if (body.length > 0) await put(response, asked, body);
  else response.flushHeaders();
  if (script.then === undefined) response.end();
  // What was written is on its way before the connection goes.
  else if (script.then !== "hang") socket.write("", () => part(script.then, socket));
};

/** @param certificate for https; without it plain http */
export const startUpstream = async (certificate?: Certificate): Promise<Upstream> => {
  const scripts = new Map<string, Script | ((asked: Asked) => Script)>();
  const asked: Asked[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket, method = "", url = "/" } = request;
    const one: Asked = {
      method,
      path: url,
      headers: request.headers,
      rawHeaders: request.rawHeaders,
      servername: socket instanceof TLSSocket ? socket.servername || undefined : undefined,
      body: Buffer.alloc(0),
      received: 0,
      isWhole: false,
      sent: 0,
      ended: undefined,
    };
    asked.push(one);
    response.on("close", () => (one.ended = response.writableFinished ? "answered" : "cut"));
    const script = scripts.get(new URL(url, "http://any").pathname) ?? { status: 404 };
    // A client that leaves is noted above, and is what some tests are about.
    perform(typeof script === "function" ? script(one) : script, request, response, one).catch(() =>
      response.destroy(),
    );
  };
  const server = certificate ? createHttpsServer(certificate, listener) : createHttpServer(listener);
  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The upstream has no port");
  const { port } = address;
  const origin = `${certificate ? "https" : "http"}://127.0.0.1:${port}`;
  return {
    origin,
    port,
    url: (path) => new URL(path, origin),
    asked,
    get connections() {
      return connections;
    },
    get open() {
      return sockets.size;
    },
    answers: (path, script) => void scripts.set(path, script),
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
};
