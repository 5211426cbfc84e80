import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { all, allChannels, statuses } from "../support/channels.ts";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import type { Sent } from "../support/http.ts";
import { fieldsOf } from "../support/shapes.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

type Fields = Readonly<Record<string, unknown>>;
const getMe = async (sent: Sent): Promise<Fields> =>
  fieldsOf((await house.send("GET", "/api/v9/me", sent)).json());
const put = (session: string, json: unknown) => house.send("PUT", "/api/v9/me", { session, json });
const keysOf = async (person: Person) => ({ ...person, token: await house.tokenOf(person) });

/** What `GET /me` has and the answer to `PUT /me` has not. */
const onlyOnGet = ["intercom_hash", "oauth_providers", "authorization_updated_at"];

describe("PUT /api/v9/me", () => {
  test("changes each field of the profile, and answers with the user", async () => {
    const { session } = await house.person();
    const before = await getMe({ session });
    const change = { fullname: "Ada King", timezone: "Europe/London", beginning_of_week: 0, country_id: 68 };

    const reply = await put(session, { ...change, default_workspace_id: before["default_workspace_id"] });

    expect(reply.status).toBe(200);
    const answered = fieldsOf(reply.json());
    expect(Object.keys(answered)).toEqual(Object.keys(before).filter((field) => !onlyOnGet.includes(field)));
    expect(answered).toMatchObject(change);
    expect(await getMe({ session })).toEqual({ ...before, ...change });
  });

  test.for([
    ["fullname", " Ada  King ", "Ada  King"],
    ["fullname", "李小龍 🥋", "李小龍 🥋"],
    ["timezone", "America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"],
    ["timezone", "US/Pacific", "US/Pacific"],
    ["beginning_of_week", 6, 6],
    ["country_id", 1, 1],
  ] satisfies [string, unknown, unknown][])(
    "changes %s to %j, and nothing else",
    async ([field, given, shown]) => {
      const { session } = await house.person();
      const before = await getMe({ session });

      expect((await put(session, { [field]: given })).status).toBe(200);

      expect(await getMe({ session })).toEqual({ ...before, [field]: shown });
    },
  );

  test("takes back a country with null, and leaves what null can't mean", async () => {
    const { session } = await house.person();
    await put(session, { country_id: 68 });
    const before = await getMe({ session });

    const reply = await put(session, {
      country_id: null,
      fullname: null,
      timezone: null,
      email: null,
      password: null,
      current_password: null,
      beginning_of_week: null,
      default_workspace_id: null,
    });

    expect(reply.status).toBe(200);
    expect(await getMe({ session })).toEqual({ ...before, country_id: null });
  });

  test("takes back exactly what GET gave, also with related data, and changes nothing", async () => {
    const person = await house.person();
    const keys = await keysOf(person);
    const { session } = person;
    const mails = (await house.mails()).length;
    for (const path of ["/api/v9/me", "/api/v9/me?with_related_data=true"]) {
      const got = (await house.send("GET", path, { session })).json();
      const before = await getMe({ session });

      expect((await put(session, got)).status).toBe(200);

      expect(await getMe({ session })).toEqual(before);
    }
    expect(await statuses(house, allChannels, keys)).toEqual(all(allChannels, 200));
    expect(await house.mails()).toHaveLength(mails);
  });

  test("never writes what the server alone decides, and ignores what it does not know", async () => {
    const { session } = await house.person();
    const other = await house.person();
    const theirs = await getMe({ session: other.session });
    const before = await getMe({ session });

    const reply = await put(session, {
      ...theirs,
      email: before["email"],
      fullname: before["fullname"],
      default_workspace_id: before["default_workspace_id"],
      api_token: "1971800d4d82861d8f2c1651fea4d212",
      has_password: false,
      openid_enabled: true,
      openid_email: "evil@example.com",
      password_hash: "x",
      locked_at: 1,
      closed_at: 1,
      display_name: "x",
      email_verified_at: 1,
      admin: true,
      user: { fullname: "x" },
    });

    expect(reply.status).toBe(200);
    expect(await getMe({ session })).toEqual(before);
    expect(await getMe({ session: other.session })).toEqual(theirs);
  });

  const refusals: readonly (readonly [string, Fields, string])[] = [
    ["a day that does not exist", { beginning_of_week: 7 }, "Invalid beginning_of_week"],
    ["a day as text", { beginning_of_week: "1" }, "Invalid beginning_of_week"],
    ["half a day", { beginning_of_week: 0.5 }, "Invalid beginning_of_week"],
    ["a country that does not exist", { country_id: -1 }, "Invalid country_id"],
    ["a country as text", { country_id: "EE" }, "Invalid country_id"],
    ["no workspace", { default_workspace_id: 0 }, "Invalid default_workspace_id"],
    ["an unknown workspace", { default_workspace_id: 2_000_000_000 }, "Invalid default_workspace_id"],
    ["a workspace beyond all numbers", { default_workspace_id: 1e300 }, "Invalid default_workspace_id"],
    ["no address", { email: "nobody", current_password: "a quiet river at noon" }, "Invalid email"],
    ["an address as a list", { email: ["a@example.com"] }, "Invalid email"],
    ["an empty name", { fullname: "  " }, "Invalid fullname"],
    ["a name of two lines", { fullname: "Ada\nKing" }, "Invalid fullname"],
    ["a name of 256 characters", { fullname: "x".repeat(256) }, "Invalid fullname"],
    ["a number as the name", { fullname: 7 }, "Invalid fullname"],
    ["an unknown time zone", { timezone: "Mars/Olympus" }, "Invalid timezone"],
    ["a name of ICU's own as the time zone", { timezone: "BST" }, "Invalid timezone"],
    ["an offset as the time zone", { timezone: "+02:00" }, "Invalid timezone"],
    [
      "a short password",
      { password: "1234567", current_password: "a quiet river at noon" },
      "Password should be at least 8 characters",
    ],
    [
      "an emoji for two characters",
      { password: "👩👩👩👩", current_password: "a quiet river at noon" },
      "Password should be at least 8 characters",
    ],
    [
      "8 characters that are 4 after NFC",
      { password: "e\u0301".repeat(4), current_password: "a quiet river at noon" },
      "Password should be at least 8 characters",
    ],
    [
      "a new password alone",
      { password: "a loud river at noon" },
      "Current password must be present to change password",
    ],
    [
      "a new password with a wrong one",
      { password: "a loud river at noon", current_password: "wrong" },
      "Current password is not valid",
    ],
    [
      "a new password with an empty one",
      { password: "a loud river at noon", current_password: "" },
      "Current password is not valid",
    ],
    [
      "a common password",
      { password: "password1", current_password: "a quiet river at noon" },
      "password is one of the most common passwords",
    ],
    [
      "the word that marks a token as the password",
      { password: "api_token", current_password: "a quiet river at noon" },
      "password must not be made from api_token",
    ],
    [
      "a new address alone",
      { email: "moved-alone@example.com" },
      "Current password must be present to change email",
    ],
    [
      "a new address with a wrong password",
      { email: "moved-wrong@example.com", current_password: "wrong" },
      "Current password is not valid",
    ],
  ];

  test.for(refusals)(
    "refuses %s and changes nothing, the good fields neither",
    async ([, change, sentence]) => {
      const person = await house.person();
      const keys = await keysOf(person);
      const before = await getMe({ session: person.session });
      const mails = (await house.mails()).length;

      const reply = await put(person.session, { fullname: "Half Written", country_id: 5, ...change });

      expect(reply.status).toBe(400);
      expect(reply.json()).toBe(sentence);
      expect(reply.cookies).toEqual([]);
      expect(await getMe({ session: person.session })).toEqual(before);
      expect(await statuses(house, allChannels, keys)).toEqual(all(allChannels, 200));
      expect(await house.mails()).toHaveLength(mails);
    },
  );

  test("refuses somebody else's workspace and address", async () => {
    const { session, password } = await house.person();
    const other = await house.person();
    const { default_workspace_id } = await getMe({ session: other.session });
    const before = await getMe({ session });

    const workspace = await put(session, { default_workspace_id });
    const address = await put(session, { email: other.email.toUpperCase(), current_password: password });

    expect([workspace.status, workspace.json()]).toEqual([400, "Invalid default_workspace_id"]);
    expect([address.status, address.json()]).toEqual([400, "user with this email already exists"]);
    expect(await getMe({ session })).toEqual(before);
  });

  test.for(["session", "password", "token"] as const)(
    "asks for the current password also of who comes by %s",
    async (kind) => {
      const person = await house.person();
      const token = await house.tokenOf(person);
      const sent: Sent =
        kind === "session"
          ? { session: person.session }
          : { basic: kind === "token" ? [token, "api_token"] : [person.email, person.password] };

      for (const change of [
        { password: "a loud river at noon" },
        { email: `moved-by-${kind}@example.com` },
      ]) {
        const reply = await house.send("PUT", "/api/v9/me", { ...sent, json: change });
        expect(reply.status).toBe(400);
        expect(reply.json()).toMatch(/^Current password must be present to change (password|email)$/);
      }
    },
  );

  test.for([
    ["no credentials", {}, 401],
    ["wrong credentials", { basic: ["nobody@example.com", "wrong"] }, 403],
  ] satisfies [string, Sent, number][])("refuses %s before it reads the body", async ([, sent, status]) => {
    const reply = await house.send("PUT", "/api/v9/me", { ...sent, body: "{not json" });

    expect(reply.status).toBe(status);
  });
});
