import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { authority, callOf, codeOf, problem, stateOf, withAuthority } from "../support/cross-site.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";

// What a page elsewhere can send without asking first: forms, text, and methods in disguise.

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse({
    LATCHKEY_RATE: "1000000",
    LATCHKEY_BURST: "1000000",
    LATCHKEY_SIGN_UPS: "100000",
  });
});
afterAll(stopHouses);

describe.each(withAuthority("cookie"))("%s with the cookie", (route) => {
  test("A37 takes no body that a form can send, even from here", async () => {
    const person = await house.person();
    const before = await stateOf(house, person);
    const { method, path } = callOf(route, person);
    const json = '{"fullname":"Somebody Else"}';
    const types: Readonly<Record<string, string | undefined>> = {
      "application/x-www-form-urlencoded": "fullname=Somebody+Else",
      "multipart/form-data; boundary=x":
        '--x\r\ncontent-disposition: form-data; name="fullname"\r\n\r\nSomebody Else\r\n--x--',
      "text/plain": json,
      "text/plain; charset=utf-8; application/json": json,
      "text/json": json,
      "application/jsonp": json,
      "application/json-patch+json": json,
      "application/vnd.api+json": json,
      "x/application/json": json,
      " ": json,
    };
    for (const [type, body] of Object.entries(types)) {
      for (const headers of [{}, { origin: house.config.origin.origin }]) {
        const reply = await house.send(method, path, {
          session: person.session,
          body,
          headers: { ...problem, ...headers, "content-type": type },
        });
        expect([reply.status, codeOf(reply)], type).toEqual([415, "content_type_unsupported"]);
      }
    }
    const bare = await house.send(method, path, { session: person.session, body: json, headers: problem });
    expect([bare.status, codeOf(bare)]).toEqual([415, "content_type_unsupported"]);
    expect(await stateOf(house, person)).toEqual(before);
  });

  test("A37 can't be smuggled into another method", async () => {
    const person = await house.person();
    const before = await stateOf(house, person);
    const { method, path, json } = callOf(route, person);
    for (const sent of ["GET", "HEAD", "OPTIONS"]) {
      for (const [query, headers] of [
        ["", { "x-http-method-override": method }],
        ["", { "x-http-method": method, "x-method-override": method }],
        [`?_method=${method}`, {}],
        [`?method=${method}&_method=${method.toLowerCase()}`, {}],
      ] as const) {
        const reply = await house.send(sent, path + query, { session: person.session, headers });
        expect([200, 204, 404, 405], `${sent} ${path}${query}`).toContain(reply.status);
        expect(reply.cookies).toEqual([]);
      }
    }
    if (method !== "POST") {
      const override = { "x-http-method-override": method, "x-method-override": method };
      const reply = await house.send("POST", `${path}?_method=${method}`, {
        session: person.session,
        json: { ...Object(json), _method: method },
        headers: override,
      });
      expect([400, 404, 405]).toContain(reply.status);
    }
    expect(await stateOf(house, person)).toEqual(before);
  });
});

const withoutCookie = Object.keys(authority).filter((route) => !authority[route]?.startsWith("cookie"));

describe.each(withoutCookie)("%s", (route) => {
  test("A37 takes no body that a form can send", async () => {
    const person = await house.person();
    const before = await stateOf(house, person);
    const { email, password } = person;
    const { method, path } = callOf(route);
    const body = JSON.stringify({ email, password, tos_accepted_for: "track" });
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
    ]) {
      const reply = await house.send(method, path, { body, headers: { "content-type": type } });
      expect([reply.status, reply.cookies], type).toEqual([415, []]);
    }
    expect(await stateOf(house, person)).toEqual(before);
  });
});
