import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import type { Sent } from "../support/http.ts";

/** What strict programs of other languages demand of `/me`. They refuse the whole answer for one field. */

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

const time = z.iso.datetime({ offset: true });

const readers = {
  "evrone/toggl-python": z.object({
    id: z.int(),
    api_token: z.string().length(32).optional(),
    email: z.email(),
    fullname: z.string(),
    timezone: z.string(),
    toggl_accounts_id: z.string().length(22),
    default_workspace_id: z.int(),
    beginning_of_week: z.int().min(0).max(6),
    image_url: z.url(),
    created_at: time,
    updated_at: time,
    openid_email: z.email().nullable(),
    openid_enabled: z.boolean(),
    country_id: z.int().nullable(),
    has_password: z.boolean(),
    at: time,
    intercom_hash: z.string().length(64).optional(),
    oauth_providers: z.array(z.string()).optional(),
    authorization_updated_at: time,
  }),
  "panoramicdata/Toggl.Api": z.object({
    at: time,
    created_at: time,
    updated_at: time,
    image_url: z.url(),
    openid_enabled: z.boolean(),
    toggl_accounts_id: z.string(),
    default_workspace_id: z.int(),
    email: z.string(),
    fullname: z.string(),
    timezone: z.string(),
  }),
  "watercooler-labs/toggl-cli": z.object({
    api_token: z.string(),
    email: z.string(),
    timezone: z.string(),
    default_workspace_id: z.int(),
  }),
  "CorrectRoadH/toggl-cli": z.object({
    api_token: z.string(),
    email: z.string(),
    timezone: z.string(),
    default_workspace_id: z.int(),
  }),
};

describe.for(Object.entries(readers))("%s", ([, reader]) => {
  test.for(["token", "password", "cookie"] as const)("reads /me by %s", async (way) => {
    const person = await house.person();
    const sent: Readonly<Record<typeof way, Sent>> = {
      token: { basic: [await house.tokenOf(person), "api_token"] },
      password: { basic: [person.email, person.password] },
      cookie: { session: person.session },
    };

    for (const path of ["/api/v9/me", "/api/v9/me?with_related_data=true"]) {
      const reply = await house.send("GET", path, sent[way]);
      expect(reader.safeParse(reply.json()).error).toBeUndefined();
    }
  });

  test("reads /me of somebody with every field changed", async () => {
    const { session, password } = await house.person();
    const changed = await house.send("PUT", "/api/v9/me", {
      session,
      json: {
        email: `ada.${Math.trunc(house.clock.now())}@bücher.example`,
        current_password: password,
        fullname: "李小龍",
        timezone: "America/Argentina/Buenos_Aires",
        beginning_of_week: 0,
        country_id: 7,
      },
    });
    house.clock.advance(1);
    expect(changed.status).toBe(200);

    const me = (await house.send("GET", "/api/v9/me", { session })).json();

    expect(reader.safeParse(me).error).toBeUndefined();
  });
});

describe("the ways in which clients check a login", () => {
  test.for([
    ["GET", "/api/v9/me"],
    ["GET", "/api/v9/me?with_related_data=true"],
    ["GET", "/api/v9/me/logged"],
    ["GET", "/api/v9/workspaces"],
    ["GET", "/api/v9/me/workspaces"],
  ] satisfies [string, string][])("%s %s tells right from wrong from missing", async ([method, path]) => {
    const token = await house.tokenOf(await house.person());
    const status = async (sent: Sent) => (await house.send(method, path, sent)).status;

    expect(await status({ basic: [token, "api_token"] })).toBe(200);
    expect(await status({ basic: [token.replaceAll(/./g, "0"), "api_token"] })).toBe(403);
    expect(await status({})).toBe(401);
  });
});
