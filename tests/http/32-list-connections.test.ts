import {
  codeOf,
  connectClient,
  done,
  environmentKey,
  linkAccount,
  type ConnectClient,
} from "../support/connect.ts";
import { stopHouses, type TestHouse } from "../support/house.ts";
import {
  fullEndUser,
  fullTags,
  fullTerms,
  startLinking,
  withOffset,
  type Linking,
} from "../support/linked-accounts.ts";
import { listOf } from "../support/shapes.ts";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** The linked accounts of an environment: all of them, or some. */

let house: TestHouse;
let app: ConnectClient;
let linked: Linking["linked"];
let list: Linking["list"];
beforeAll(async () => {
  ({ house, app, linked, list } = await startLinking());
});
afterAll(stopHouses);

describe("GET /connections", () => {
  test("lists what the original lists, and how each is", async () => {
    const environment = "prod";
    const owner = connectClient(house, await environmentKey(house, environment));
    await done(owner.post("/integrations", { provider: "latchkey", unique_key: "here" }));
    const at = withOffset(house.clock.now());
    const token = await house.tokenOf(await house.person());
    const id = await linkAccount(house, owner, {
      integration: "here",
      username: token,
      password: "api_token",
      terms: fullTerms,
    });
    const reply = await owner.get("/connections");

    expect(reply.json()).toEqual({
      connections: [
        {
          id: expect.any(Number),
          connection_id: id,
          provider_config_key: "here",
          provider: "latchkey",
          errors: [],
          end_user: fullEndUser,
          tags: fullTags,
          metadata: {},
          created: at,
          account: expect.objectContaining({ id: expect.any(String) }),
          state: "live",
          state_reason: null,
          last_verified_at: at,
        },
      ],
    });
    expect(reply.text).not.toContain(token);
    expect((await owner.get("/connection")).text).toBe(reply.text);
  });

  test("has the newest first, page by page", async () => {
    const person = { end_user: { id: "pages" } };
    const ids: unknown[] = [];
    for (let count = 0; count < 5; count++) ids.unshift((await linked(person)).id);
    const page = (query: string) => list(`?endUserId=pages${query}`);

    expect(await page("")).toEqual(ids);
    expect(await page("&limit=2")).toEqual(ids.slice(0, 2));
    expect(await page("&limit=2&page=1")).toEqual(ids.slice(2, 4));
    expect(await page("&limit=2&page=2")).toEqual(ids.slice(4));
    expect(await page("&limit=2000&page=1")).toEqual([]);
  });

  test.each([
    "limit=0",
    "limit=2001",
    "limit=-1",
    "limit=1.5",
    "limit=x",
    "limit=",
    "page=-1",
    "page=x",
    "limit=1&limit=2",
  ])("refuses %s", async (query) => {
    expect(codeOf(await app.get(`/connections?${query}`))).toEqual([400, "invalid_query_params"]);
  });

  test.each(["nope=1", "tags=plan", "integrationId=a%2Fb", "search=%00", "tags[a]=%00", "connectionId=a%00"])(
    "refuses %s",
    async (query) => {
      expect(codeOf(await app.get(`/connections?${query}`))).toEqual([400, "invalid_query_params"]);
    },
  );

  test("is narrowed by each filter, and by all of them together", async () => {
    const ada = await linked({
      end_user: { id: "ada", email: "Ada@Example.com", display_name: "Ada King" },
      organization: { id: "royal" },
      tags: { plan: "Gold", region: "eu" },
    });
    const bob = await linked({ end_user: { id: "bob" }, tags: { plan: "Gold" } }, "there");

    expect(await list(`?connectionId=${ada.id}`)).toEqual([ada.id]);
    expect(await list("?endUserId=ada")).toEqual([ada.id]);
    expect(await list("?endUserOrganizationId=royal")).toEqual([ada.id]);
    expect(await list("?integrationId=there&endUserId=bob")).toEqual([bob.id]);
    expect(await list("?integrationId=there,here&tags[plan]=Gold")).toEqual([bob.id, ada.id]);
    expect(await list("?integrationId=nope")).toEqual([]);
    expect(await list("?tags[plan]=Gold&tags[region]=eu")).toEqual([ada.id]);
    expect(await list("?tags[PLAN]=Gold&tags%5Bregion%5D=eu")).toEqual([ada.id]);
    expect(await list("?tags[plan]=gold")).toEqual([]);
    expect(await list("?tags[plan]=Gold&endUserId=ada&integrationId=there")).toEqual([]);
    for (const search of ["ADA@example", "ada king", ada.id.slice(3, 20)]) {
      expect(await list(`?search=${encodeURIComponent(search)}`)).toEqual([ada.id]);
    }
  });

  test("takes names without values as not asked for", async () => {
    const { id } = await linked({ end_user: { id: "empty" } });

    expect(await list("?connectionId=&search=&integrationId=&endUserId=empty")).toEqual([id]);
  });

  test("searches for signs as they are", async () => {
    const [percent, under, back] = [
      await linked({ end_user: { id: "s1", display_name: "100% sure" } }),
      await linked({ end_user: { id: "s2", display_name: "snake_case" } }),
      await linked({ end_user: { id: "s3", display_name: "back\\slash" } }),
    ];

    expect(await list("?search=0%25%20s")).toEqual([percent.id]);
    expect(await list("?search=%25")).toEqual([percent.id]);
    expect(await list("?search=e_c")).toEqual([under.id]);
    expect(await list("?search=k%5Cs")).toEqual([back.id]);
    expect(await list("?search=a_e")).toEqual([]);
  });

  test("finds people by tags alone too: the original's SDK waits for them so", async () => {
    const { id } = await linked({
      tags: { end_user_id: "tagged", end_user_email: "Tagged@Example.com", organization_id: "tags-only" },
    });

    expect(await list("?endUserId=tagged")).toEqual([id]);
    expect(await list("?endUserOrganizationId=tags-only")).toEqual([id]);
    expect(await list("?search=tagged@example")).toEqual([id]);
  });

  test("says which ones fail", async () => {
    const { id } = await linked();
    await sql`update connections set state = 'failing', state_reason = 'credentials_refused' where connection_id = ${id}`.execute(
      house.inside.store.query,
    );
    const [found] = listOf((await done(app.get(`/connections?connectionId=${id}`)))["connections"]);

    expect(found).toMatchObject({
      state: "failing",
      state_reason: "credentials_refused",
      errors: [{ type: "auth", log_id: "credentials_refused" }],
    });
  });
});
