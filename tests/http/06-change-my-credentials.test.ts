import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { all, allChannels, passwordChannels, sessionChannels, statuses } from "../support/channels.ts";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import { sessionOf } from "../support/http.ts";
import { codeIn } from "../support/mails.ts";
import { fieldsOf } from "../support/shapes.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

const put = (session: string, json: unknown) => house.send("PUT", "/api/v9/me", { session, json });
const subjectsTo = async (address: string): Promise<readonly string[]> =>
  (await house.mails()).filter(({ to }) => to === address).map(({ subject }) => subject);
const keysOf = async (person: Person) => ({ ...person, token: await house.tokenOf(person) });

describe("a new password by PUT /me", () => {
  test("replaces the old one everywhere, ends the other sessions, and leaves the token", async () => {
    const person = await house.person();
    const keys = await keysOf(person);
    const { email, password } = person;
    const other = sessionOf(await house.send("POST", "/api/sessions", { json: { email, password } })) ?? "";

    const reply = await put(person.session, { current_password: password, password: "a loud river at noon" });

    expect(reply.status).toBe(200);
    expect(await statuses(house, passwordChannels, keys)).toEqual(all(passwordChannels, 403));
    expect(await statuses(house, sessionChannels, { ...keys, session: other })).toEqual(
      all(sessionChannels, 403),
    );
    const now = { ...keys, password: "a loud river at noon" };
    expect(await statuses(house, allChannels, now)).toEqual(all(allChannels, 200));
    expect(fieldsOf(reply.json())["api_token"]).toBe(keys.token);
  });

  test("is told by one mail, without the password in it", async () => {
    const { email, password, session } = await house.person();

    await put(session, { current_password: password, password: "a loud river at noon" });

    expect((await subjectsTo(email)).toSorted()).toEqual([
      "Confirm your e-mail address",
      "Your password was changed",
    ]);
    const mail = await house.mailTo(email, "Your password was changed");
    expect(mail?.raw).not.toContain("river");
    expect(mail?.text).toContain(`${house.config.origin.origin}/forgot`);
  });

  test("by Basic ends every session", async () => {
    const { email, password, session } = await house.person();

    const json = { current_password: password, password: "a loud river at noon" };
    const reply = await house.send("PUT", "/api/v9/me", { basic: [email, password], json });

    expect(reply.status).toBe(200);
    expect((await house.send("GET", "/api/v9/me", { session })).status).toBe(403);
  });
});

describe("a new address by PUT /me", () => {
  test("signs in from now on; it is asked to be verified, and the old one is told", async () => {
    const person = await house.person();
    const keys = await keysOf(person);

    const reply = await put(person.session, {
      email: "Moved.Ada@Example.com",
      current_password: person.password,
    });

    expect(reply.status).toBe(200);
    expect(reply.json()).toMatchObject({ email: "Moved.Ada@example.com" });
    expect(await statuses(house, passwordChannels, keys)).toEqual(all(passwordChannels, 403));
    expect(await statuses(house, allChannels, { ...keys, email: "moved.ada@example.com" })).toEqual(
      all(allChannels, 200),
    );
    expect(await subjectsTo("Moved.Ada@example.com")).toEqual(["Confirm your e-mail address"]);
    expect(await subjectsTo(person.email)).toContain("Your e-mail address was changed");
    const code = codeIn(await house.mailTo("Moved.Ada@example.com"));
    const confirmed = await house.send("POST", `/api/me/email_verification/confirm/${code}`);
    expect(confirmed.status).toBe(200);
  });

  test("frees the old one", async () => {
    const person = await house.person();
    await put(person.session, { email: "moved-away@example.com", current_password: person.password });

    expect(await house.person(person.email)).toMatchObject({ email: person.email });
  });

  test("in another case is the same address: nothing is asked, and nothing mailed", async () => {
    const person = await house.person();

    const reply = await put(person.session, { email: person.email.toUpperCase() });

    expect(reply.status).toBe(200);
    expect(reply.json()).toMatchObject({ email: person.email });
    expect(await subjectsTo(person.email)).toEqual(["Confirm your e-mail address"]);
  });
});
