import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { isOfOurUser, usersOf } from "./peer-user.ts";

const portOf = (server: Server): number => {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
};

const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 3043438 1 0000 100 0 0 10 0
   1: 0100007F:C350 0100007F:0BB8 01 00000000:00000000 00:00000000 00000000  1001        0 3043439 1 0000 20 4 30 10 -1
   2: 0100007F:0BB8 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 3043440 1 0000 20 4 30 10 -1
 103: 0200007F:C350 0100007F:0BB8 01 00000000:00000000 00:00000000 00000000 65534        0 3043441 1 0000 20 4 30 10 -1
`;

describe("whose a connection is", () => {
  test("is what the caller's end says, not ours", () => {
    expect(usersOf(table, { near: 3000, far: 50_000 })).toEqual([1001, 65_534]);
  });

  test("is nobody's when it is not in the table", () => {
    expect(usersOf(table, { near: 3000, far: 50_001 })).toEqual([]);
    expect(usersOf("", { near: 3000, far: 50_000 })).toEqual([]);
  });

  test.runIf(process.platform === "linux")("is found by Linux", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const accepted = Promise.withResolvers<Socket>();
    server.once("connection", accepted.resolve);
    const client = connect({ port: portOf(server), host: "127.0.0.1" });
    onTestFinished(() => {
      client.destroy();
      server.close();
    });
    const socket = await accepted.promise;
    const ours = process.getuid?.() ?? 0;

    expect(await isOfOurUser(socket)).toBe(true);
    expect(await isOfOurUser(socket, ours + 1)).toBe(false);
  });
});
