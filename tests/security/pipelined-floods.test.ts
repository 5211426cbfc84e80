// Requests behind requests on one connection: more than anybody answers, and behind a change of protocol.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { minute } from "#kernel/clock.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { head, openLine, type OpenLine } from "../support/open-line.ts";

let house: TestHouse;
const lines: OpenLine[] = [];
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterEach(() => {
  for (const line of lines.splice(0)) line.hangUp();
});
afterAll(stopHouses);

const open = (bytes: string): OpenLine => {
  const line = openLine(house.config.port);
  line.send(bytes);
  lines.push(line);
  return line;
};

const get = (path: string, ...more: readonly string[]): string =>
  head(`GET ${path} HTTP/1.1`, `Host: ${house.config.origin.host}`, ...more);

const answers = (line: OpenLine): number => line.text().match(/HTTP\/1\.1 200/g)?.length ?? 0;

describe("Requests in one packet", () => {
  test("are answered in their order, a hundred of them", async () => {
    const line = open(get("/healthz").repeat(100));
    await expect.poll(() => answers(line)).toBe(100);
    expect(line.isClosed()).toBe(false);
  });

  test("a thousand of them end the connection, and no more of them are begun than may wait", async () => {
    house.clock.advance(minute);
    const before = house.logs.length;
    const flood = [1, 2, 3].map(() => open(get("/healthz").repeat(1000)));
    await expect.poll(() => flood.every((line) => line.isClosed())).toBe(true);
    expect((await house.send("GET", "/readyz")).status).toBe(200);
    const logged = house.logs.slice(before);
    const begun = logged.filter((line) => line.includes('"route":"/healthz"'));
    expect(begun.length).toBeLessThanOrEqual(3 * 101);
    // One client's, in one minute.
    expect(logged.filter((line) => line.includes('"pipelining_cut"'))).toHaveLength(1);
  });

  test("nothing of what is behind the last one that may wait is done", async () => {
    const { session } = await house.person();
    const signOut = head(
      "DELETE /api/sessions HTTP/1.1",
      `Host: ${house.config.origin.host}`,
      `Cookie: __Secure-accounts-session=${session}`,
    );
    const line = open(get("/healthz").repeat(200) + signOut);
    await expect.poll(line.isClosed).toBe(true);
    expect((await house.send("GET", "/api/v9/me", { session })).status).toBe(200);
  });
});

describe.each([
  [
    "websocket",
    [
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ],
  ],
  ["h2c", ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"]],
] as const)("A request that would change to %s", (_, upgrade) => {
  test.each([
    ["nothing", () => ""],
    ["a second one", () => get("/readyz")],
    ["what is no HTTP", () => "\0\u0001\u0002 what is this\r\n\r\n"],
    ["the other protocol", () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ])("is answered in HTTP/1.1, and with %s behind it the connection ends", async (_name, behind) => {
    const line = open(get("/healthz", ...upgrade) + behind());
    await expect.poll(line.isClosed).toBe(true);
    expect(answers(line)).toBe(1);
    expect(line.text().toLowerCase()).toContain("\r\nconnection: close\r\n");
    expect(line.text()).not.toContain("101");
  });

  test("is answered with its body", async () => {
    const body = "{}";
    const post = head(
      "POST /api/signup HTTP/1.1",
      `Host: ${house.config.origin.host}`,
      "Content-Type: application/json",
      ...upgrade,
      `Content-Length: ${body.length}`,
    );
    const line = open(post + body + get("/readyz"));
    await expect.poll(line.isClosed).toBe(true);
    expect(line.text().match(/HTTP\/1\.1 \d\d\d/g)).toEqual(["HTTP/1.1 400"]);
  });
});
