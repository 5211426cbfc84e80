import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { scopes } from "#connect";
import { codeOf, connectClient, connectSession, environmentKey, refusalOf } from "../support/connect.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { fieldsOf } from "../support/shapes.ts";

/** What an API key may do is said by its scopes, call by call. */

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(stopHouses);

/** Every call with a key, what it is asked with, and the scopes any one of which opens it; none: any key does. */
const rows: Readonly<Record<string, readonly string[]>> = {
  "POST /connect/sessions": ["environment:connect_sessions:write"],
  "POST /connect/sessions/reconnect": ["environment:connect_sessions:write"],
  "GET /providers": [],
  "GET /providers/{provider}": [],
  "GET /integrations": ["environment:integrations:list"],
  "POST /integrations": ["environment:integrations:create"],
  "GET /integrations/{integration_key}": ["environment:integrations:read"],
  "PATCH /integrations/{integration_key}": ["environment:integrations:update"],
  "DELETE /integrations/{integration_key}": ["environment:integrations:delete"],
  "GET /config": ["environment:integrations:list"],
  "POST /config": ["environment:integrations:create"],
  "PUT /config": ["environment:integrations:update"],
  "GET /config/{integration_key}": ["environment:integrations:read"],
  "DELETE /config/{integration_key}": ["environment:integrations:delete"],
  ...Object.fromEntries(
    ["/connections", "/connection"].flatMap((prefix) => [
      [`GET ${prefix}`, ["environment:connections:list"]],
      [`POST ${prefix}`, ["environment:connections:create"]],
      [
        `GET ${prefix}/{connection_id*}`,
        ["environment:connections:read", "environment:connections:read_credentials"],
      ],
      [`PATCH ${prefix}/{connection_id*}`, ["environment:connections:update"]],
      [`DELETE ${prefix}/{connection_id*}`, ["environment:connections:delete"]],
      [`POST ${prefix}/metadata`, ["environment:connections:update"]],
      [`PATCH ${prefix}/metadata`, ["environment:connections:update"]],
    ]),
  ),
  "POST /connection/{connection_id}/metadata": ["environment:connections:update"],
  "PATCH /connection/{connection_id}/metadata": ["environment:connections:update"],
  "POST /connections/verify": ["environment:connections:update"],
  "ANY /proxy": ["environment:proxy"],
  "ANY /proxy/{path*}": ["environment:proxy"],
  "GET /environment": ["environment:settings:read"],
  "PATCH /environment": ["environment:settings:write"],
  "GET /environment/webhooks": ["environment:webhooks:read"],
  "PATCH /environment/webhooks": ["environment:webhooks:write"],
  "POST /environment/webhooks/secret/rotate": ["environment:webhooks:write"],
  "GET /environment/webhooks/deliveries": ["environment:webhooks:read"],
  "POST /environment/webhooks/deliveries/{id}/redeliver": ["environment:webhooks:write"],
};

describe("scopes", () => {
  test("are known here for every call with a key", () => {
    const guarded = house.inside.routes
      .filter(({ admits }) => admits === "API key" || admits === "API key or connect session")
      .map(({ method, path }) => `${method} ${path}`);

    expect(guarded.toSorted()).toEqual(Object.keys(rows).toSorted());
    expect([...new Set(Object.values(rows).flat())].toSorted()).toEqual([...scopes].toSorted());
  });

  test("open exactly the calls that they are for", async () => {
    const opened = new Map<string, string[]>(Object.keys(rows).map((row) => [row, []]));
    for (const scope of scopes) {
      const app = connectClient(house, await environmentKey(house, "prod", [scope]));
      for (const row of Object.keys(rows)) {
        const [method = "", path = ""] = row.replaceAll(/\{\w+\*?\}/g, "nothing").split(" ");
        // An unknown name, and a body that nothing takes: past the guard nothing happens.
        const reply = await app.send(
          method === "ANY" ? "POST" : method,
          path,
          method === "GET" ? {} : { json: [] },
        );
        if (reply.status !== 403) opened.get(row)?.push(scope);
        else
          expect(refusalOf(reply)).toEqual([
            403,
            "forbidden",
            `This key lacks the scope ${rows[row]?.join(" or ")}`,
          ]);
      }
    }

    for (const [row, wanted] of Object.entries(rows)) {
      expect([row, opened.get(row)]).toEqual([row, wanted.length === 0 ? [...scopes] : [...wanted]]);
    }
  });

  test("of a key without any open only what is nobody's", async () => {
    const app = connectClient(house, await environmentKey(house, "dev", []));

    expect((await app.get("/providers")).status).toBe(200);
    expect(codeOf(await app.get("/integrations"))).toEqual([403, "forbidden"]);
  });

  test("are checked before anything is read of the call", async () => {
    const key = await environmentKey(house, "dev", ["environment:proxy"]);
    const reply = await connectClient(house, key).send("POST", "/integrations?x=1", { body: "{" });

    expect(codeOf(reply)).toEqual([403, "forbidden"]);
  });

  test("of a connect session are none: it opens no call of an app", async () => {
    const app = connectClient(house, await environmentKey(house));
    const form = connectClient(house, await connectSession(app));
    for (const row of house.inside.routes.filter(({ admits }) => admits === "API key")) {
      const path = row.path.replaceAll(/\{\w+\*?\}/g, "nothing");
      const reply = await form.send(row.method === "ANY" ? "GET" : row.method, path);
      expect([row.path, reply.status, fieldsOf(fieldsOf(reply.json())["error"])["code"]]).toEqual([
        row.path,
        401,
        "unknown_account",
      ]);
    }
  });
});
