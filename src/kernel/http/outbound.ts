/** Every HTTP call that a process of this house makes goes out from here. */
import { get } from "node:http";
import { second } from "../clock.ts";

export type OwnReply = { readonly status: number; readonly text: string };

const mostCharacters = 65_536;
const longestMs = 5 * second;

/** Where one reaches a server that listens on every interface. */
const reachable: ReadonlyMap<string, string> = new Map([
  ["0.0.0.0", "127.0.0.1"],
  ["::", "::1"],
]);

/**
 * Asks whatever listens where a server with these settings would, by plain GET. Never rejects.
 *
 * @returns `refused`: nobody listens; `silent`: somebody does, and does not talk HTTP within 5 s
 */
export const askOwnServer = (
  { host, port, origin }: { readonly host: string; readonly port: number; readonly origin: URL },
  path: string,
): Promise<OwnReply | "refused" | "silent"> =>
  new Promise((resolve) => {
    const call = get({
      host: reachable.get(host) ?? host,
      port,
      path,
      headers: { host: origin.host },
      agent: false,
      signal: AbortSignal.timeout(longestMs),
    });
    call.on("error", (error: NodeJS.ErrnoException) =>
      resolve(error.code === "ECONNREFUSED" ? "refused" : "silent"),
    );
    call.on("response", (incoming) => {
      let text = "";
      incoming.setEncoding("utf8");
      incoming.on("data", (chunk: string) => {
        text += chunk;
        if (text.length > mostCharacters) call.destroy();
      });
      incoming.on("end", () => resolve({ status: incoming.statusCode ?? 0, text }));
      incoming.on("error", () => resolve("silent"));
    });
  });
