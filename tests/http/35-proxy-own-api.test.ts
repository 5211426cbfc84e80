import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { codeOf, environmentKey } from "../support/connect.ts";
import { startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import { addIntegration, errorOf, linkTo, type Linked } from "../support/proxied.ts";
import { fieldsOf } from "../support/shapes.ts";

/** The provider `latchkey` is this server: its own Track API, called in this process. */

let house: TestHouse;
let key: string;
let integration: string;
beforeAll(async () => {
  house = await startHouse();
  key = await environmentKey(house);
  integration = await addIntegration(house, key, { provider: "latchkey" });
});
afterAll(stopHouses);

let person: Person;
let linked: Linked;
beforeEach(async () => {
  person = await house.person();
  linked = await linkTo(house, key, { integration, username: await house.tokenOf(person) });
});

describe("Calls of our own API", () => {
  test("are answered as if the person had called", async () => {
    const reply = await linked.call("GET", "/api/v9/me?with_related_data=true");
    expect(reply.status).toBe(200);
    expect(reply.json()).toMatchObject({ email: person.email });
    expect(fieldsOf(reply.json())["workspaces"]).toBeDefined();
    expect(reply.headers).toMatchObject({
      "content-type": "application/json; charset=utf-8",
      "content-security-policy": "sandbox",
      "access-control-allow-origin": "*",
      "content-length": String(Buffer.byteLength(reply.text)),
    });
    expect(reply.headers["x-toggl-quota-remaining"]).toMatch(/^\d+$/);
  });

  test("may change something", async () => {
    const reply = await linked.call("PUT", "/api/v9/me", { json: { fullname: "Ada King" } });
    expect(reply.status).toBe(200);
    const me = await house.send("GET", "/api/v9/me", { session: person.session });
    expect(me.json()).toMatchObject({ fullname: "Ada King" });
  });

  test("refuse in the words of that API", async () => {
    const reply = await linked.call("PUT", "/api/v9/me", { json: { timezone: "Nowhere/At_All" } });
    expect(reply.status).toBe(400);
    expect(typeof reply.json()).toBe("string");
    expect((await linked.call("GET", "/api/v9/no/such/thing")).status).toBe(404);
  });

  test("by HEAD have no body", async () => {
    const reply = await linked.call("HEAD", "/api/v9/me");
    expect(reply).toMatchObject({ status: 200, text: "" });
  });

  test("end when the token is replaced", async () => {
    await house.send("POST", "/api/v9/me/reset_token", { session: person.session });
    expect((await linked.call("GET", "/api/v9/me")).status).toBe(403);
    await expect
      .poll(async () => codeOf(await linked.call("GET", "/api/v9/me")))
      .toEqual([424, "connection_failing"]);
  });
});

describe("Nothing else of this server is open to them", () => {
  test.for([
    "/api/me",
    "/api/sessions",
    "/connections",
    "/proxy/api/v9/me",
    "/healthz",
    "/",
    "/api/v9/../me",
    "/api/v9/%2e%2e/me",
    "/api/v9/..%2fme",
    "/api/v9/..\\me",
    "//api/me",
    "/API/v9/me",
  ])("%s", async (path) => {
    const reply = await linked.call("GET", path);
    expect(codeOf(reply)).toEqual([400, "address_refused"]);
    expect(errorOf(reply)["message"]).toContain("/api/v9/");
  });

  test("no cookie, session or header of the caller's counts there", async () => {
    const other = await house.person();
    const reply = await linked.call("GET", "/api/v9/me", { session: other.session });
    expect(reply.json()).toMatchObject({ email: person.email });
    expect(reply.cookies).toEqual([]);
  });

  test("methods that it does not have, and bodies over a mebibyte", async () => {
    expect(codeOf(await linked.call("PROPFIND", "/api/v9/me"))).toEqual([405, "method_not_allowed"]);
    const body = Buffer.alloc(1024 * 1024 + 1, " ");
    const headers = { "content-type": "application/json" };
    expect(codeOf(await linked.call("PUT", "/api/v9/me", { body, headers }))).toEqual([
      413,
      "body_too_large",
    ]);
  });
});
