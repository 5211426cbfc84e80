// Connections that are opened and held: by one client, by many, and by those who ask and do not read.

import { connect, type Socket } from "node:net";
import { afterAll, afterEach, expect, test } from "vitest";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { head } from "../support/open-line.ts";

afterAll(stopHouses);

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** From an address of this machine that is its own network. */
const open = (of: TestHouse, from = "127.0.0.1"): Socket => {
  const socket = connect({ port: of.config.port, host: "127.0.0.1", localAddress: from });
  socket.on("error", () => {});
  sockets.push(socket);
  return socket;
};

const statusOf = async (socket: Socket, of: TestHouse): Promise<string | undefined> => {
  let text = "";
  socket.on("data", (piece: Buffer) => {
    text += piece.toString("latin1");
  });
  socket.write(head("GET /healthz HTTP/1.1", `Host: ${of.config.origin.host}`, "Connection: close"));
  await new Promise((resolve) => socket.once("close", resolve));
  return /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
};

const linesOf = (of: TestHouse): readonly string[] =>
  of.logs.filter((line) => line.includes('"connection_over_cap"'));

const closed = (all: readonly Socket[]): number => all.filter((socket) => socket.closed).length;

test("one network's are closed over its cap, said once a minute, and other networks get in", async () => {
  const of = await startHouse(roomy, { caps: { most: 100, ofNetwork: 5 } });

  const crowd = Array.from({ length: 25 }, () => open(of, "127.0.0.2"));
  await expect.poll(() => closed(crowd)).toBe(20);

  expect(await statusOf(open(of, "127.0.0.3"), of)).toBe("200");
  expect(linesOf(of)).toHaveLength(1);
  expect(linesOf(of)[0]).toContain('"network":"127.0.0.2"');
  for (const socket of crowd) socket.destroy();
  await expect.poll(async () => statusOf(open(of, "127.0.0.2"), of)).toBe("200");
});

test("of a trusted proxy are as many as there may be in all", async () => {
  const of = await startHouse(
    { ...roomy, LATCHKEY_TRUSTED_PROXIES: "127.0.0.2" },
    { caps: { most: 100, ofNetwork: 5 } },
  );

  const crowd = Array.from({ length: 25 }, () => open(of, "127.0.0.2"));
  expect(await statusOf(open(of, "127.0.0.2"), of)).toBe("200");

  expect(closed(crowd)).toBe(0);
  expect(linesOf(of)).toEqual([]);
});

test("that take every place make room for those who have fewer", async () => {
  const of = await startHouse(roomy, { caps: { most: 10, ofNetwork: 10 } });
  const crowd = Array.from({ length: 10 }, () => open(of, "127.0.0.2"));
  await expect.poll(() => crowd.every((socket) => socket.readyState === "open")).toBe(true);

  expect(await statusOf(open(of, "127.0.0.3"), of)).toBe("200");

  await expect.poll(() => closed(crowd)).toBe(1);
  expect(linesOf(of)).toHaveLength(1);
});

test("whoever asks and takes nothing of the answer is cut off; whoever takes it slowly gets all of it", async () => {
  const of = await startHouse(roomy, { longestUnreadMs: 300 });
  const { length } = (await of.send("GET", "/docs/api/scalar.js")).text;
  const ask = (connection: string): string =>
    head("GET /docs/api/scalar.js HTTP/1.1", `Host: ${of.config.origin.host}`, `Connection: ${connection}`);
  const [deaf, slow] = [open(of), open(of)];
  deaf.pause();
  // More than the system takes for somebody who does not read.
  deaf.write(ask("keep-alive").repeat(10));
  let taken = 0;
  slow.on("data", (piece: Buffer) => {
    taken += piece.length;
    slow.pause();
    setImmediate(() => slow.resume());
  });
  slow.write(ask("close"));

  await expect.poll(() => closed([slow])).toBe(1);
  expect(taken).toBeGreaterThan(length);
  const isCut = (): boolean => {
    // Whoever reads nothing hears of the end when they say something.
    deaf.write("GET");
    return deaf.destroyed;
  };
  await expect.poll(isCut).toBe(true);
});
