// Bodies of callers who are refused before anything of it is read, or whose body nobody wants.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
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

const open = (...ofHead: readonly string[]): OpenLine => {
  const line = openLine(house.config.port);
  const [first = "", ...rest] = ofHead;
  line.send(head(first, `Host: ${house.config.origin.host}`, "Content-Type: application/json", ...rest));
  lines.push(line);
  return line;
};

const chunk = `1000\r\n${"p".repeat(0x1000)}\r\n`;

type Unwanted = {
  readonly what: string;
  readonly target: string;
  readonly status: number;
  readonly more?: readonly string[];
};

/** What is answered without a look at the body, and how. */
const unwanted: readonly Unwanted[] = [
  { what: "a call without credentials", target: "POST /connect/sessions", status: 401 },
  { what: "another one, on another wire", target: "PUT /api/v9/me", status: 401 },
  { what: "a call of the proxy without a key", target: "POST /proxy/anything", status: 401 },
  {
    what: "a call from another site",
    target: "POST /api/sessions",
    status: 403,
    more: ["Sec-Fetch-Site: cross-site"],
  },
  { what: "a path that nobody has", target: "POST /nowhere", status: 404 },
  { what: "a path that can't be decoded", target: "POST /api/%ff", status: 400 },
  { what: "a method that the path does not know", target: "PATCH /api/sessions", status: 405 },
  { what: "what Connect does not have", target: "POST /mcp", status: 501 },
  { what: "telemetry, which is dropped", target: "POST /connect/telemetry", status: 204 },
  { what: "a GET", target: "GET /healthz", status: 200 },
  {
    what: "a preflight",
    target: "OPTIONS /connect/sessions",
    status: 204,
    more: ["Access-Control-Request-Method: POST", "Origin: http://a.example"],
  },
];

describe.each(unwanted)("$what", ({ target, status, more = [] }) => {
  test("A14: is answered before its body has come, and its endless body is cut off", async () => {
    const line = open(`${target} HTTP/1.1`, "Transfer-Encoding: chunked", ...more);
    line.send(chunk);
    await expect.poll(line.status).toBe(status);
    expect(line.text().toLowerCase()).toContain("\r\nconnection: close\r\n");
    line.sendForEver(chunk);
    await expect.poll(line.isClosed, { timeout: 5000 }).toBe(true);
  });

  test("A14: and asks nobody for their body", async () => {
    const line = open(`${target} HTTP/1.1`, "Content-Length: 1000", "Expect: 100-continue", ...more);
    await expect.poll(line.isClosed).toBe(true);
    expect(line.status()).toBe(status);
    expect(line.text()).not.toContain("100 Continue");
  });

  test("A14: and its connection goes on when what is left is short, and comes", async () => {
    const line = open(`${target} HTTP/1.1`, "Content-Length: 1000", ...more);
    await expect.poll(line.status).toBe(status);
    line.send(
      "p".repeat(1000) + head("GET /healthz HTTP/1.1", `Host: ${house.config.origin.host}`, "X-Second: 1"),
    );
    await expect
      .poll(() => line.text().match(/HTTP\/1\.1 \d\d\d/g))
      .toEqual([`HTTP/1.1 ${status}`, "HTTP/1.1 200"]);
    expect(line.isClosed()).toBe(false);
  });
});

test("A14: whoever may call is asked for their body, once", async () => {
  const { session } = await house.person();
  const body = '{"beginning_of_week":3}';
  const line = open(
    "PUT /api/v9/me HTTP/1.1",
    `Cookie: __Secure-accounts-session=${session}`,
    "Expect: 100-continue",
    `Content-Length: ${body.length}`,
  );
  await expect.poll(line.text).toBe("HTTP/1.1 100 Continue\r\n\r\n");
  line.send(body);
  await expect.poll(line.status).toBe(200);
  expect(line.text().match(/100 Continue/g)).toHaveLength(1);
});

test("A14: nothing that comes behind a body which ends the connection is done", async () => {
  const { session } = await house.person();
  const length = 100_000;
  const line = open("PUT /api/v9/me HTTP/1.1", `Content-Length: ${length}`);
  await expect.poll(line.status).toBe(401);
  line.send(
    "p".repeat(length) +
      head(
        "DELETE /api/sessions HTTP/1.1",
        `Host: ${house.config.origin.host}`,
        `Cookie: __Secure-accounts-session=${session}`,
      ),
  );
  await expect.poll(line.isClosed).toBe(true);
  expect(line.text().match(/HTTP\/1\.1 \d\d\d/g)).toEqual(["HTTP/1.1 401"]);
  expect((await house.send("GET", "/api/v9/me", { session })).status).toBe(200);
});

test("A14: nor is what is no HTTP behind it answered once more", async () => {
  const line = open("PUT /api/v9/me HTTP/1.1", "Transfer-Encoding: chunked");
  await expect.poll(line.status).toBe(401);
  line.send("this is no chunk\r\n");
  await expect.poll(line.isClosed).toBe(true);
  expect(line.text().match(/HTTP\/1\.1 \d\d\d/g)).toEqual(["HTTP/1.1 401"]);
});
