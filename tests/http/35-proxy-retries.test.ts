import { once } from "node:events";
import { request } from "node:http";
import { beforeEach, describe, expect, test } from "vitest";
import type { TestHouse } from "../support/house.ts";
import { askedAt, proxySuite, type Linked } from "../support/proxied.ts";
import { chunked, exchange, lines } from "../support/raw-http.ts";
import type { Script, Upstream } from "../support/upstream.ts";

/** A caller may have a call made again, within limits: what a provider says of waiting is heard. */

let upstream: Upstream;
let house: TestHouse;
let linked: Linked;
proxySuite((proxied) => {
  ({ upstream, house, linked } = proxied);
});

let path: string;
let paths = 0;
beforeEach(() => {
  path = `/retry/${++paths}`;
});

const atOnce = { "retry-after": "0" };

/** The nth time the nth of these; from then on the last. */
const answersInTurn = (...scripts: readonly Script[]): void => {
  let turn = 0;
  upstream.answers(path, () => scripts[Math.min(turn++, scripts.length - 1)] ?? {});
};

const times = (): number => askedAt(upstream, path).length;

describe("Without Retries", () => {
  test.for([429, 500, 503])("a call is made once, and its answer goes back: %i", async (status) => {
    answersInTurn({ status, headers: atOnce }, {});
    expect((await linked.call("GET", path)).status).toBe(status);
    expect(times()).toBe(1);
  });
});

describe("With Retries", () => {
  test.for([402, 429, 500, 502, 503, 504])("a call is made again after %i", async (status) => {
    answersInTurn({ status, headers: atOnce, body: "not this" }, { body: "this" });
    const reply = await linked.call("GET", path, { headers: { retries: "1" } });
    expect(reply).toMatchObject({ status: 200, text: "this" });
    expect(times()).toBe(2);
  });

  test("the last answer goes back when none is better", async () => {
    answersInTurn({ status: 503, headers: atOnce, body: "down" });
    const reply = await linked.call("GET", path, { headers: { retries: "3" } });
    expect(reply).toMatchObject({ status: 503, text: "down" });
    expect(times()).toBe(4);
  });

  test("ten is the most", async () => {
    answersInTurn({ status: 503, headers: atOnce });
    expect((await linked.call("GET", path, { headers: { retries: "1000000" } })).status).toBe(503);
    expect(times()).toBe(11);
  });

  test.for([400, 404, 409, 200])("%i is an answer like any", async (status) => {
    answersInTurn({ status, headers: atOnce }, {});
    expect((await linked.call("GET", path, { headers: { retries: "2" } })).status).toBe(status);
    expect(times()).toBe(1);
  });

  test("Retry-On names further statuses, but 401 is never tried again", async () => {
    const headers = { retries: "2", "retry-on": "409,401" };
    answersInTurn({ status: 409, headers: atOnce }, { status: 401, headers: atOnce }, {});
    expect((await linked.call("GET", path, { headers })).status).toBe(401);
    expect(times()).toBe(2);
  });

  test.for([
    ["Retry-After", { "retry-after": "61" }],
    ["the provider's own header", { "x-toggl-quota-resets-in": "3600" }],
  ] as const)("a wait of more than a minute is the caller's: %s", async ([, headers]) => {
    answersInTurn({ status: 429, headers }, {});
    const reply = await linked.call("GET", path, { headers: { retries: "5" } });
    expect(reply.status).toBe(429);
    expect(reply.headers).toMatchObject(headers);
    expect(times()).toBe(1);
  });

  test("a connection that breaks is tried again, after three seconds", async () => {
    answersInTurn({ instead: "reset" }, { body: "there" });
    const reply = await linked.call("GET", path, { headers: { retries: "1" } });
    expect(reply).toMatchObject({ status: 200, text: "there" });
    expect(times()).toBe(2);
  });

  test("nothing more is tried for a client that left", async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    upstream.answers("/slow", { after: promise });
    answersInTurn({ status: 503 }, {});
    const controller = new AbortController();
    const left = fetch(`http://127.0.0.1:${house.config.port}/proxy${path}`, {
      headers: { ...linked.headers, retries: "1" },
      signal: controller.signal,
    });
    await expect.poll(times).toBe(1);
    controller.abort();
    await expect(left).rejects.toThrow("abort");
    // Its place is free again, though three seconds are not over.
    const running = Array.from({ length: 20 }, () => linked.call("GET", "/slow"));
    await expect.poll(() => askedAt(upstream, "/slow").length).toBe(20);
    resolve(undefined);
    for (const { status } of await Promise.all(running)) expect(status).toBe(200);
    expect(times()).toBe(1);
  });
});

describe("The body of a call that is made again", () => {
  const bodies = (): readonly string[] =>
    askedAt(upstream, path).map(({ body, received }) => `${received} ${body.toString("latin1").slice(0, 9)}`);

  test("is sent again as a whole up to a mebibyte", async () => {
    answersInTurn({ status: 503, headers: atOnce }, {});
    const body = Buffer.alloc(1024 * 1024, "body");
    expect((await linked.call("POST", path, { body, headers: { retries: "1" } })).status).toBe(200);
    expect(bodies()).toEqual(["1048576 bodybodyb", "1048576 bodybodyb"]);
  });

  test("that is larger is sent once, and the answer goes back", async () => {
    answersInTurn({ status: 503, headers: atOnce }, {});
    const body = Buffer.alloc(1024 * 1024 + 1, "body");
    expect((await linked.call("POST", path, { body, headers: { retries: "1" } })).status).toBe(503);
    expect(bodies()).toEqual(["1048577 bodybodyb"]);
  });

  test.for([
    ["small", 3, 2],
    ["large", 300, 1],
  ] as const)("of unknown length: %s", async ([, count, sent]) => {
    answersInTurn({ status: 503, headers: atOnce }, {});
    const head = lines(
      `POST /proxy${path} HTTP/1.1`,
      `Host: ${house.config.origin.host}`,
      "Transfer-Encoding: chunked",
      "Retries: 1",
      ...Object.entries(linked.headers).map(([name, value]) => `${name}: ${value}`),
    );
    const body = chunked(...Array.from({ length: count }, () => Buffer.alloc(4096, "piece")));
    const reply = await exchange(house.config.port, Buffer.concat([Buffer.from(head), body]));
    expect(reply.status).toBe(sent === 1 ? 503 : 200);
    expect(bodies()).toEqual(Array.from({ length: sent }, () => `${count * 4096} piecepiec`));
  });

  test("that does not come to its end makes no call", async () => {
    upstream.answers(path, {});
    const before = house.logs.length;
    const outgoing = request({
      port: house.config.port,
      method: "POST",
      path: `/proxy${path}`,
      headers: { ...linked.headers, retries: "1", expect: "100-continue", "content-length": "1000" },
    }).on("error", () => undefined);
    outgoing.flushHeaders();
    await once(outgoing, "continue");
    outgoing.destroy();
    await expect.poll(() => house.logs.slice(before).join()).toContain('"ended":"left"');
    expect(times()).toBe(0);
  });
});
