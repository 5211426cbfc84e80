import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { fieldsOf, listOf } from "../support/shapes.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

const get = async (session: string, path: string): Promise<unknown> => {
  const reply = await house.send("GET", `/api/v9${path}`, { session });
  expect(reply.status).toBe(200);
  return reply.json();
};

const seconds = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/);

/** The recorded keys in their order, with what an account without a plan has. */
const workspace = {
  id: expect.any(Number),
  organization_id: expect.any(Number),
  name: expect.any(String),
  premium: false,
  business_ws: false,
  admin: true,
  role: "admin",
  suspended_at: null,
  server_deleted_at: null,
  default_hourly_rate: null,
  rate_last_updated: null,
  default_currency: "USD",
  only_admins_may_create_projects: false,
  only_admins_may_create_tags: false,
  only_admins_see_billable_rates: false,
  only_admins_see_team_dashboard: false,
  projects_billable_by_default: true,
  projects_private_by_default: true,
  projects_enforce_billable: false,
  limit_public_project_data: false,
  last_modified: seconds,
  reports_collapse: true,
  rounding: 0,
  rounding_minutes: 0,
  api_token: null,
  at: seconds,
  logo_url: null,
  ical_url: expect.toSatisfy(
    (url: unknown) => url === null || (typeof url === "string" && url.startsWith("/ical/")),
  ),
  ical_enabled: false,
  csv_upload: null,
  subscription: null,
  hide_start_end_times: false,
  working_hours_in_minutes: null,
};

const organization = {
  id: expect.any(Number),
  name: expect.any(String),
  pricing_plan_id: expect.any(Number),
  created_at: seconds,
  at: seconds,
  server_deleted_at: null,
  is_multi_workspace_enabled: false,
  suspended_at: null,
  user_count: 1,
  trial_info: {
    trial: false,
    trial_available: false,
    trial_end_date: null,
    next_payment_date: null,
    last_pricing_plan_id: null,
    can_have_trial: false,
    trial_plan_id: null,
  },
  is_unified: false,
  max_workspaces: 20,
  permissions: null,
  admin: true,
  owner: true,
  pricing_plan_name: "",
  pricing_plan_enterprise: false,
};

describe("a new account", () => {
  test("has one organization with one workspace, which is its default", async () => {
    const { session } = await house.person();

    const organizations = listOf(await get(session, "/me/organizations"));
    const workspaces = listOf(await get(session, "/me/workspaces"));
    const me = fieldsOf(await get(session, "/me"));

    expect([organizations.length, workspaces.length]).toEqual([1, 1]);
    expect(workspaces[0]?.["organization_id"]).toBe(organizations[0]?.["id"]);
    expect(me["default_workspace_id"]).toBe(workspaces[0]?.["id"]);
  });

  test("shares them with nobody", async () => {
    const [one, two] = [await house.person(), await house.person()];

    for (const path of ["/me/organizations", "/me/workspaces"]) {
      const [mine] = listOf(await get(one.session, path));
      const [theirs] = listOf(await get(two.session, path));
      expect(mine?.["id"]).not.toBe(theirs?.["id"]);
    }
  });
});

describe("GET /api/v9/me/workspaces", () => {
  test("has the recorded keys in their order", async () => {
    const { session } = await house.person();

    const [found] = listOf(await get(session, "/me/workspaces"));

    expect(found).toEqual(workspace);
    expect(Object.keys(found ?? {})).toEqual(Object.keys(workspace));
  });

  test("is what /workspaces and /workspaces/{id} say too", async () => {
    const { session } = await house.person();
    const list = listOf(await get(session, "/me/workspaces"));

    expect(await get(session, "/workspaces")).toEqual(list);
    expect(await get(session, `/workspaces/${String(list[0]?.["id"])}`)).toEqual(list[0]);
    expect(await get(session, "/me/workspaces?since=1700000000")).toEqual(list);
  });
});

describe("GET /api/v9/workspaces/{id}", () => {
  test("is 404 for somebody else's, as for none", async () => {
    const { session } = await house.person();
    const [theirs] = listOf(await get((await house.person()).session, "/me/workspaces"));
    const unknown = await house.send("GET", "/api/v9/workspaces/2000000000", { session });

    const reply = await house.send("GET", `/api/v9/workspaces/${String(theirs?.["id"])}`, { session });

    expect([reply.status, reply.text]).toEqual([404, '"Not found"']);
    expect([unknown.status, unknown.text]).toEqual([reply.status, reply.text]);
  });

  test.for(["0", "-1", "1.5", "1e3", "01", "abc", "9".repeat(40), "%00", "1%20", "null"])(
    "is 404 for %s, which is no number of a workspace",
    async (id) => {
      const { session } = await house.person();

      expect((await house.send("GET", `/api/v9/workspaces/${id}`, { session })).status).toBe(404);
    },
  );
});

describe("GET /api/v9/me/organizations", () => {
  test("has the recorded keys in their order", async () => {
    const { session } = await house.person();

    const [found] = listOf(await get(session, "/me/organizations"));

    expect(found).toEqual(organization);
    expect(Object.keys(found ?? {})).toEqual(Object.keys(organization));
    expect(Object.keys(fieldsOf(found?.["trial_info"]))).toEqual(Object.keys(organization.trial_info));
  });
});
