// The floor of a proxy: node:http in front, undici's dispatch behind, one header put in, and nothing checked.

import { createServer } from "node:http";
import { Pool } from "undici";

type Order = { readonly upstream: string; readonly authorization: string };

process.on("message", ({ upstream, authorization }: Order) => {
  const pool = new Pool(upstream, { connections: 128 });
  const server = createServer((request, response) => {
    const path = (request.url ?? "/").slice("/proxy".length);
    pool.dispatch(
      { path, method: request.method ?? "GET", headers: { authorization }, body: null },
      {
        onRequestStart: (controller) => {
          response.on("close", () => {
            if (!response.writableFinished) controller.abort(new Error("The client left"));
          });
        },
        onResponseStart: (_controller, status, headers) => {
          response.writeHead(status, headers);
        },
        onResponseData: (controller, chunk) => {
          if (response.write(chunk)) return;
          controller.pause();
          response.once("drain", () => controller.resume());
        },
        onResponseEnd: () => void response.end(),
        onResponseError: () => void response.destroy(),
      },
    );
  });
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    process.send?.({ port: typeof address === "object" && address ? address.port : 0 });
  });
});
