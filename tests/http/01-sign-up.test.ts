import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { sessionOf } from "../support/http.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse();
});
afterAll(stopHouses);

const seed = {
  email: "ada@example.com",
  password: "correct horse 7",
  display_name: "Ada Lovelace",
  tos_accepted_for: "track",
  remember_me: true,
  timezone: "America/New_York",
};

describe("POST /api/signup", () => {
  test("with all six fields makes the account and sets the session cookie", async () => {
    const reply = await house.send("POST", "/api/signup", { json: seed });

    expect(reply.status).toBe(200);
    expect(reply.json()).toEqual({ success: true });
    expect(reply.cookies).toHaveLength(1);
    expect(reply.cookies[0]).toMatch(
      /^__Secure-accounts-session=[\w-]+\.[\w-]+\.[\w-]+; Path=\/; HttpOnly; Secure; SameSite=Lax; Max-Age=2419200$/,
    );
    const me = await house.send("GET", "/api/v9/me", { session: sessionOf(reply) });
    expect(me.json()).toMatchObject({
      email: "ada@example.com",
      fullname: "Ada Lovelace",
      timezone: "America/New_York",
    });
  });

  test("takes the name from the address and UTC when they are left out, and a cookie for the browser's session", async () => {
    const reply = await house.send("POST", "/api/signup", {
      json: { email: "grace.hopper@example.com", password: "nanoseconds matter", tos_accepted_for: "track" },
    });

    expect(reply.cookies[0]).toMatch(/; SameSite=Lax$/);
    const me = await house.send("GET", "/api/v9/me", { session: sessionOf(reply) });
    expect(me.json()).toMatchObject({ fullname: "grace.hopper", timezone: "UTC" });
  });

  test("refuses an address that is taken, in whatever case it is typed, and mails nothing", async () => {
    const { email } = await house.person("Taken@Example.com");
    const before = (await house.mails()).length;

    const reply = await house.send("POST", "/api/signup", { json: { ...seed, email: email.toUpperCase() } });

    expect(reply.status).toBe(400);
    expect(reply.json()).toBe("user with this email already exists");
    expect(reply.cookies).toEqual([]);
    expect(await house.mails()).toHaveLength(before);
  });

  test("names every missing and wrong field and its rule", async () => {
    const reply = await house.send("POST", "/api/signup", {
      json: { email: "nobody", password: 12345678, timezone: "Mars/Olympus", remember_me: "yes", admin: true },
      headers: { accept: "application/problem+json" },
    });

    expect(reply.status).toBe(400);
    expect(reply.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
    expect(reply.json()).toMatchObject({
      status: 400,
      code: "input_invalid",
      errors: expect.arrayContaining([
        expect.objectContaining({ field: "email" }),
        { field: "password", rule: "type", message: "password must be a string" },
        { field: "tos_accepted_for", rule: "required", message: "tos_accepted_for is required" },
        expect.objectContaining({ field: "timezone", rule: "unknown" }),
        { field: "remember_me", rule: "type", message: "remember_me must be true or false" },
        { field: "admin", rule: "unknown", message: "admin is not a known field" },
      ]),
    });
  });
});
