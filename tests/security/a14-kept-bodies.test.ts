// Memory that callers of the proxy fill: bodies that are kept so that they can be sent again.

import { afterAll, beforeAll, expect, test } from "vitest";
import { environmentKey } from "../support/connect.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { addIntegration, answerAsToggl, askedAt, linkedTo, linkTo, type Linked } from "../support/proxied.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

const mebibyte = 1024 * 1024;

let upstream: Upstream;
let house: TestHouse;
let linked: Linked;
let own: Linked;
beforeAll(async () => {
  upstream = await startUpstream();
  answerAsToggl(upstream);
  house = await startHouse({ LATCHKEY_OUTBOUND_ALLOW: upstream.origin }, { mostBodyBytes: mebibyte });
  const key = await environmentKey(house);
  linked = await linkedTo(house, upstream, key);
  const integration = await addIntegration(house, key, { provider: "latchkey" });
  own = await linkTo(house, key, { integration, username: await house.tokenOf(await house.person()) });
});
afterAll(async () => {
  await stopHouses();
  await upstream.stop();
});

const body = Buffer.alloc(mebibyte, "body");
const retries = { retries: "1" };
const down = { status: 503, headers: { "retry-after": "0" } };

test("A14: what is kept for other tries has a budget, and without room a call is made once", async () => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  upstream.answers("/slow", () =>
    askedAt(upstream, "/slow").length === 1 ? { ...down, after: promise } : {},
  );
  upstream.answers("/down", down);

  const slow = linked.call("POST", "/slow", { body, headers: retries });
  await expect.poll(() => askedAt(upstream, "/slow").length).toBe(1);
  // All of it goes on as it comes, and can't go on twice.
  const other = await linked.call("POST", "/down", { body: body.subarray(0, 1000), headers: retries });
  expect(other.status).toBe(503);
  expect(askedAt(upstream, "/down").map(({ received }) => received)).toEqual([1000]);
  // What can be answered only when it is there as a whole has to wait.
  const ours = await own.call("PUT", "/api/v9/me", { json: { fullname: "Ada King" } });
  expect([ours.status, ours.headers["retry-after"]]).toEqual([503, "1"]);

  resolve(undefined);
  expect((await slow).status).toBe(200);
  expect(askedAt(upstream, "/slow").map(({ received }) => received)).toEqual([mebibyte, mebibyte]);
  // And the room is free behind it.
  await linked.call("POST", "/down", { body: body.subarray(0, 1000), headers: retries });
  expect(askedAt(upstream, "/down")).toHaveLength(3);
  expect((await own.call("PUT", "/api/v9/me", { json: { fullname: "Ada King" } })).status).toBe(200);
});
