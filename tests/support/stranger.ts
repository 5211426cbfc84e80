// A web site of somebody else on this machine: what it shows is up to the test, what it is asked is noted.

import { once } from "node:events";
import { createServer } from "node:http";

export type Stranger = {
  readonly origin: string;
  /** The requests so far: method and path. */
  readonly asked: readonly string[];
  /** From now on this is the page at the path. @returns its address */
  show(path: string, html: string, headers?: Readonly<Record<string, string>>): string;
  /** From now on this script is at the path. */
  serveScript(path: string, script: string): void;
  stop(): Promise<void>;
};

/**
 * @param host `localhost` is the same site as a house at another port of it, so that browsers send the house's cookies
 * with what comes from there; `127.0.0.1` is another site.
 */
export const startStranger = async (host: "localhost" | "127.0.0.1"): Promise<Stranger> => {
  const pages = new Map<
    string,
    { readonly type: string; readonly body: string; readonly headers?: Readonly<Record<string, string>> }
  >();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://any");
    asked.push(`${request.method} ${pathname}`);
    const { type = "html", body, headers } = pages.get(pathname) ?? {};
    response.writeHead(body === undefined ? 404 : 200, {
      "content-type": `text/${type}; charset=utf-8`,
      ...headers,
    });
    response.end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The stranger has no port");
  const origin = `http://${host}:${address.port}`;
  return {
    origin,
    asked,
    show: (path, html, headers = {}) => {
      const body = `<!doctype html><meta charset="utf-8"><title>Elsewhere</title>${html}`;
      pages.set(path, { type: "html", body, headers });
      return origin + path;
    },
    serveScript: (path, body) => void pages.set(path, { type: "javascript", body }),
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
};
