import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  codeOf,
  connectClient,
  connectSession,
  done,
  environmentKey,
  refusalOf,
  type ConnectClient,
} from "../support/connect.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { fieldsOf, listOf } from "../support/shapes.ts";

/** The catalogue: which providers there are, and what a form asks for. */

let house: TestHouse;
let app: ConnectClient;
let form: ConnectClient;
beforeAll(async () => {
  house = await startHouse();
  app = connectClient(house, await environmentKey(house));
  form = connectClient(house, await connectSession(app));
});
afterAll(stopHouses);

const names = async (query = ""): Promise<readonly unknown[]> =>
  listOf((await done(app.get(`/providers${query}`)))["data"]).map(({ name }) => name);

describe("GET /providers", () => {
  test("lists all of them by name, each as it is read alone", async () => {
    const reply = await app.get("/providers");
    const all = listOf(fieldsOf(reply.json())["data"]);

    expect(reply.status).toBe(200);
    expect(all.length).toBeGreaterThanOrEqual(10);
    expect(all.map(({ name }) => name)).toEqual(all.map(({ name }) => String(name)).toSorted());
    for (const provider of all) {
      expect(await done(app.get(`/providers/${String(provider["name"])}`))).toEqual({ data: provider });
    }
    expect((await form.get("/providers")).text).toBe(reply.text);
  });

  test("finds part of a name, in any case, and takes signs as they are", async () => {
    expect(await names("?search=toggl")).toEqual(["toggl"]);
    expect(await names("?search=TOGGL")).toEqual(["toggl"]);
    expect(await names("?search=toggl%20track")).toEqual(["toggl"]);
    expect(await names("?search=nobody-has-this")).toEqual([]);
    expect(await names("?search=.*")).toEqual([]);
    expect(await names("?search=((")).toEqual([]);
    expect(await names("?search=")).toEqual(await names());
  });

  test("refuses another query", async () => {
    for (const query of ["?limit=1", "?search=a&search=b", `?search=${"x".repeat(256)}`]) {
      expect(codeOf(await app.get(`/providers${query}`))).toEqual([400, "invalid_query_params"]);
    }
  });
});

describe("GET /images/template-logos/{file}", () => {
  test("shows a provider's mark to anybody, and only what the catalogue has", async () => {
    const logo = await house.send("GET", "/images/template-logos/toggl.svg");
    expect([logo.status, logo.headers["content-type"]]).toEqual([200, "image/svg+xml"]);
    expect(logo.text).toMatch(/^<svg /);
    expect((await house.send("GET", "/images/template-logos/nothing.svg")).status).toBe(404);
  });
});

describe("GET /providers/{provider}", () => {
  test("shows what the original shows of toggl, and the two ways to link it", async () => {
    const { origin } = house.config.origin;
    const { data } = await done(form.get("/providers/toggl"));

    expect(data).toMatchObject({
      display_name: "Toggl Track",
      categories: ["productivity"],
      auth_mode: "BASIC",
      proxy: {
        base_url: "https://api.track.toggl.com",
        verification: { method: "GET", endpoints: ["/api/v9/me"] },
        retry: { after: ["x-toggl-quota-resets-in"] },
      },
      docs: expect.stringMatching(/^https:/),
      docs_connect: expect.stringContaining(`${origin}/`),
      credentials: {
        username: { type: "string", title: expect.any(String), description: expect.any(String) },
        password: { type: "string", title: expect.any(String), secret: true },
      },
      name: "toggl",
      logo_url: `${origin}/images/template-logos/toggl.svg`,
      shapes: [
        {
          name: "token",
          recommended: true,
          fields: { password: { hidden: true, default_value: "api_token" } },
        },
        { name: "email_password", swapped: true },
      ],
    });
    expect((await app.get("/providers/toggl")).json()).toEqual({ data });
  });

  test("shows what this server answers itself as found here", async () => {
    const { data } = await done(app.get("/providers/latchkey"));

    expect(data).toMatchObject({ proxy: { base_url: house.config.origin.origin } });
    expect(JSON.stringify(data)).not.toContain('"latchkey:');
  });

  test.each(["nope", "TOGGL", "__proto__", "constructor", "%00", "..%2Ftoggl"])(
    "knows no %s",
    async (name) => {
      expect(codeOf(await app.get(`/providers/${name}`))).toEqual([404, "not_found"]);
    },
  );

  test("takes no query", async () => {
    expect(codeOf(await app.get("/providers/toggl?x=1"))).toEqual([400, "invalid_query_params"]);
  });
});

describe("a call of the original that Latchkey does not have", () => {
  test.each([
    ["GET", "/providers/toggl/templates"],
    ["POST", "/integrations/quickstart"],
    ["GET", "/environment-variables"],
    ["POST", "/auth/two-step/toggl"],
    ["POST", "/auth/signature/toggl"],
    ["POST", "/auth/aws-sigv4/toggl"],
    ["POST", "/auth/bill/toggl"],
    ["POST", "/auth/jwt/toggl"],
    ["POST", "/auth/tba/toggl"],
    ["POST", "/auth/oauth-outbound/toggl"],
    ["POST", "/app-store-auth/toggl"],
    ["POST", "/oauth2/auth/toggl"],
    ["GET", "/oauth/connect/toggl"],
    ["GET", "/oauth/callback"],
    ["GET", "/app-auth/connect"],
  ])("%s %s is told as that, to any page", async (method, path) => {
    for (const sent of [
      {},
      { json: { provider: "toggl", unique_key: "x" } },
      { body: "username=a", headers: { "content-type": "application/x-www-form-urlencoded" } },
    ]) {
      const reply = await house.send(
        method,
        `${path}?connect_session_token=x&params[a]=b`,
        method === "GET" ? {} : sent,
      );

      expect(refusalOf(reply)).toEqual([
        501,
        "not_supported",
        expect.stringMatching(/^Latchkey does not have /),
      ]);
      expect(reply.headers).toMatchObject({
        "access-control-allow-origin": "*",
        "content-type": "application/json; charset=utf-8",
      });
    }
  });

  test("is one call, and not a folder: what has another name is still found", async () => {
    await done(app.post("/integrations", { provider: "toggl", unique_key: "quickstart" }));

    expect(fieldsOf((await done(app.get("/integrations/quickstart")))["data"])).toMatchObject({
      unique_key: "quickstart",
    });
    expect(codeOf(await app.get("/oauth/nothing"))).toEqual([404, "not_found"]);
  });
});
