import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { sessionOf, type Sent } from "../support/http.ts";
import { fieldsOf } from "../support/shapes.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

/** In the order in which Toggl sends them. */
const recorded = [
  "id",
  "api_token",
  "email",
  "fullname",
  "timezone",
  "toggl_accounts_id",
  "default_workspace_id",
  "beginning_of_week",
  "image_url",
  "created_at",
  "updated_at",
  "openid_email",
  "openid_enabled",
  "country_id",
  "has_password",
  "at",
  "intercom_hash",
  "oauth_providers",
  "authorization_updated_at",
];
const related = ["tags", "clients", "time_entries", "projects", "workspaces"];

describe("GET /api/v9/me", () => {
  test("has every recorded field in the recorded order, each of its kind", async () => {
    const { email, session } = await house.person();

    const reply = await house.send("GET", "/api/v9/me", { session });

    const me = fieldsOf(reply.json());
    expect(Object.keys(me)).toEqual(recorded);
    const md5 = createHash("md5").update(email).digest("hex");
    expect(me).toEqual({
      id: expect.any(Number),
      api_token: expect.stringMatching(/^[0-9a-f]{32}$/),
      email,
      fullname: email.split("@")[0],
      timezone: "UTC",
      toggl_accounts_id: expect.stringMatching(/^[2-9A-HJ-NP-Za-km-z]{22}$/),
      default_workspace_id: expect.any(Number),
      beginning_of_week: 1,
      image_url: `https://secure.gravatar.com/avatar/${md5}?d=404&s=200`,
      created_at: expect.any(String),
      updated_at: expect.any(String),
      openid_email: null,
      openid_enabled: false,
      country_id: null,
      has_password: true,
      at: expect.any(String),
      intercom_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      oauth_providers: [],
      authorization_updated_at: expect.any(String),
    });
  });

  test.for([
    ["/api/v9/me?with_related_data=true", true],
    ["/api/v9/me?with_related_data=1", true],
    ["/api/v9/me/?with_related_data=true&app_name=toggl&since=1700000000", true],
    ["/api/v9/me?with_related_data=false", false],
    ["/api/v9/me?with_related_data=0", false],
    ["/api/v9/me?with_related_data=null", false],
    ["/api/v9/me?app_name=toggl", false],
  ] satisfies [string, boolean][])("%s: related data %s", async ([path, wanted]) => {
    const { session } = await house.person();

    const reply = await house.send("GET", path, { session });

    expect(reply.status).toBe(200);
    const me = fieldsOf(reply.json());
    expect(Object.keys(me)).toEqual(
      wanted ? recorded.toSpliced(recorded.length - 1, 0, ...related) : recorded,
    );
    if (!wanted) return;
    const workspaces = (await house.send("GET", "/api/v9/me/workspaces", { session })).json();
    expect(me).toMatchObject({ tags: [], clients: [], time_entries: [], projects: [], workspaces });
  });

  test("shows times in UTC without needless zeros, and the time of the request", async () => {
    // To the next full second, so that every fraction is told.
    house.clock.advance(1000 - (house.clock.now() % 1000));
    const born = house.clock.now();
    const { session } = await house.person();
    const times: string[] = [];
    for (const step of [0, 120, 5, 875, 9000]) {
      house.clock.advance(step);
      times.push(String(fieldsOf((await house.send("GET", "/api/v9/me", { session })).json())["at"]));
    }

    const second = (at: number): string => new Date(at).toISOString().slice(0, 19);
    expect(times).toEqual([
      `${second(born)}Z`,
      `${second(born)}.12Z`,
      `${second(born)}.125Z`,
      `${second(born + 1000)}Z`,
      `${second(born + 10_000)}Z`,
    ]);
    const me = fieldsOf((await house.send("GET", "/api/v9/me", { session })).json());
    for (const field of ["created_at", "updated_at", "authorization_updated_at"]) {
      expect(me[field]).toBe(`${second(born)}Z`);
    }
  });

  test("is the same by every credential, but for the time", async () => {
    const person = await house.person();
    const token = await house.tokenOf(person);
    const ways: readonly Sent[] = [
      { session: person.session },
      { basic: [person.email, person.password] },
      { basic: [token, "api_token"] },
      { basic: [token, "api_token"], session: person.session },
    ];

    const bodies = await Promise.all(
      ways.map(async (sent) => (await house.send("GET", "/api/v9/me", sent)).text),
    );

    expect(new Set(bodies).size).toBe(1);
  });

  test("shows nobody else's numbers", async () => {
    const [one, two] = await Promise.all(
      [await house.person(), await house.person()].map(async ({ session }) =>
        fieldsOf((await house.send("GET", "/api/v9/me", { session })).json()),
      ),
    );

    for (const field of [
      "id",
      "api_token",
      "toggl_accounts_id",
      "default_workspace_id",
      "intercom_hash",
      "image_url",
    ]) {
      expect(one?.[field], field).not.toBe(two?.[field]);
    }
  });

  test.for([
    ["no credentials", {}, 401, ""],
    [
      "a wrong password",
      { basic: ["nobody@example.com", "wrong"] },
      403,
      '"User does not have access to this resource."',
    ],
    [
      "an unknown token",
      { basic: ["1971800d4d82861d8f2c1651fea4d212", "api_token"] },
      403,
      '"User does not have access to this resource."',
    ],
    ["a dead cookie", { session: "eyJ.eyJ.x" }, 403, '"User does not have access to this resource."'],
  ] satisfies [string, Sent, number, string][])("with %s tells nothing", async ([, sent, status, body]) => {
    for (const path of [
      "/api/v9/me",
      "/api/v9/me/id",
      "/api/v9/me/logged",
      "/api/v9/me/quota",
      "/api/v9/workspaces",
    ]) {
      const reply = await house.send("GET", path, sent);
      expect(reply.status).toBe(status);
      expect(reply.text).toBe(body);
      expect(reply.headers["x-authorization-missing"]).toBe(status === 401 ? "true" : undefined);
      expect(reply.headers["content-type"]).toBe(
        status === 401 ? undefined : "application/json; charset=utf-8",
      );
      expect(reply.headers["content-length"]).toBe(String(body.length));
      expect(reply.headers["www-authenticate"]).toBeUndefined();
    }
  });
});

describe("GET /api/v9/me/logged", () => {
  test("is 200 and empty", async () => {
    const { session } = await house.person();

    const reply = await house.send("GET", "/api/v9/me/logged", { session });

    expect(reply.status).toBe(200);
    expect(reply.text).toBe("");
    expect(reply.headers["content-length"]).toBe("0");
    expect(reply.headers["content-type"]).toBeUndefined();
  });
});

describe("GET /api/v9/me/id", () => {
  test("is the number alone", async () => {
    const { session } = await house.person();
    const me = fieldsOf((await house.send("GET", "/api/v9/me", { session })).json());

    const reply = await house.send("GET", "/api/v9/me/id", { session });

    expect(reply.status).toBe(200);
    expect(reply.json()).toBe(me["id"]);
  });
});

test("a name that looks like JSON, or like anything else, comes back as it was typed", async () => {
  const names = ["C:\\u0000x", '"at":"2026"', "\\", "{}"];
  for (const display_name of names) {
    const reply = await house.send("POST", "/api/signup", {
      json: {
        email: `name${names.indexOf(display_name)}@example.com`,
        password: "a quiet river at noon",
        tos_accepted_for: "track",
        display_name,
      },
    });
    const session = sessionOf(reply);

    expect((await house.send("GET", "/api/v9/me", { session })).json()).toMatchObject({
      fullname: display_name,
    });
    expect((await house.send("GET", "/api/v9/me", { session })).json()).toMatchObject({
      fullname: display_name,
    });
  }
});
