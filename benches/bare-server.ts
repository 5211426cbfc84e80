// The floor: node:http that answers the same bytes and looks at nothing.

import { createServer } from "node:http";

type Script = { readonly headers: Readonly<Record<string, string>>; readonly body: string };

process.on("message", ({ headers, body }: Script) => {
  const server = createServer((_request, response) => {
    response.writeHead(200, headers);
    response.end(body);
  });
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    process.send?.({ port: typeof address === "object" && address ? address.port : 0 });
  });
});
