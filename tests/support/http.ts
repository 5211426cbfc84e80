// A client that sends exactly what a test says, also what no decent client would send.

import { Agent, request, type IncomingHttpHeaders } from "node:http";

export type Reply = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Every `Set-Cookie` line. */
  readonly cookies: readonly string[];
  readonly text: string;
  json(): unknown;
};

export type Sent = {
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** Sent as JSON with its content type. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly body?: string | Buffer | undefined;
  /** Basic credentials: [user, password]. */
  readonly basic?: readonly [string, string] | undefined;
  /** The value of a session cookie. */
  readonly session?: string | undefined;
};

export const sessionCookieName = "__Secure-accounts-session";

/** The session's token out of an answer's `Set-Cookie`; empty when a cookie was cleared, undefined when none was set. */
export const sessionOf = (reply: Reply): string | undefined =>
  reply.cookies.find((line) => line.startsWith(`${sessionCookieName}=`))?.split(/[=;]/, 2)[1];

export const basicHeader = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

export type Client = {
  send(method: string, path: string, sent?: Sent): Promise<Reply>;
  close(): void;
};

/** @param host what the Host header says; a test may send another one */
export const createClient = (port: number, host: string): Client => {
  const agent = new Agent({ keepAlive: true, maxSockets: 600 });
  return {
    close: () => agent.destroy(),
    send: (method, path, { headers = {}, json, body, basic, session } = {}) =>
      new Promise((resolve, reject) => {
        const payload = json === undefined ? body : JSON.stringify(json);
        const outgoing = request({
          agent,
          host: "127.0.0.1",
          port,
          method,
          path,
          setHost: false,
          headers: {
            host,
            ...(json === undefined ? {} : { "content-type": "application/json" }),
            ...(payload === undefined ? {} : { "content-length": String(Buffer.byteLength(payload)) }),
            ...(basic === undefined ? {} : { authorization: basicHeader(...basic) }),
            ...(session === undefined ? {} : { cookie: `${sessionCookieName}=${session}` }),
            ...headers,
          },
        });
        outgoing.on("error", reject);
        outgoing.on("response", (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
          incoming.on("error", reject);
          incoming.on("end", () => {
            const text = Buffer.concat(chunks).toString("utf8");
            resolve({
              status: incoming.statusCode ?? 0,
              headers: incoming.headers,
              cookies: incoming.headers["set-cookie"] ?? [],
              text,
              json: (): unknown => JSON.parse(text),
            });
          });
        });
        outgoing.end(payload);
      }),
  };
};
