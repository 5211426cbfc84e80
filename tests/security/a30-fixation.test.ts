import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { claimsOf, forge, partsOf } from "../support/forge.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { sessionCookieName, sessionOf, type Reply } from "../support/http.ts";
import { operatorIn } from "../support/operator.ts";
import { resetCode } from "../support/reset.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse({ LATCHKEY_SIGN_UPS: "1000" });
});
afterAll(stopHouses);

const idWith = async (session: string): Promise<unknown> => {
  const reply = await house.send("GET", "/api/v9/me/id", { session });
  return reply.status === 200 ? reply.json() : reply.status;
};

const newSession = (reply: Reply): string => {
  const session = sessionOf(reply);
  if (reply.status !== 200 || !session) throw new Error(`No session: ${reply.status} ${reply.text}`);
  return session;
};

/** Every way to begin a session, with a cookie that somebody put into the browser before. */
const beginnings: Record<string, (email: string, planted: string) => Promise<Reply>> = {
  "sign-up": (_, planted) =>
    house.send("POST", "/api/signup", {
      session: planted,
      json: {
        email: `new-${crypto.randomUUID()}@example.com`,
        password: "a quiet river at noon",
        tos_accepted_for: "track",
      },
    }),
  "sign-in by JSON": (email, planted) =>
    house.send("POST", "/api/sessions", {
      session: planted,
      json: { email, password: "a quiet river at noon" },
    }),
  "sign-in by Basic": (email, planted) =>
    house.send("POST", "/api/sessions", { session: planted, basic: [email, "a quiet river at noon"] }),
  "password reset": async (email, planted) =>
    house.send("POST", `/api/me/password_reset/confirm/${await resetCode(house, email)}`, {
      session: planted,
      json: { password: "another river at dusk" },
    }),
};

describe.each(Object.keys(beginnings))("%s", (name) => {
  const begin = beginnings[name] ?? expect.unreachable();

  test("A30 never makes the cookie that was there before the cookie after", async () => {
    const attacker = await house.person();
    const ended = await house.person();
    await house.send("DELETE", "/api/sessions", { session: ended.session });
    const planted: Record<string, (own: string) => string> = {
      "an attacker's live one": () => attacker.session,
      "one that has ended": () => ended.session,
      "an older one of the same person": (own) => own,
      "no token at all": () => "f".repeat(32),
    };

    for (const [which, plant] of Object.entries(planted)) {
      const victim = await house.person();
      const before = plant(victim.session);
      const after = newSession(await begin(victim.email, before));

      expect(after, which).not.toBe(before);
      expect(after.split(".")[2], which).not.toBe(before.split(".")[2]);
      if (before.includes(".")) expect(claimsOf(after)["jti"], which).not.toBe(claimsOf(before)["jti"]);
      // What was planted leads where it led before, and not to the victim.
      expect(await idWith(attacker.session), which).not.toBe(await idWith(after));
      expect(await idWith(ended.session), which).toBe(403);
    }
  });

  test("A30 starts a session that no one can name beforehand", async () => {
    const ids = new Set<unknown>();
    for (let round = 0; round < 5; round += 1) {
      const { email } = await house.person();
      const { jti } = claimsOf(newSession(await begin(email, "")));
      expect(jti).toMatch(/^[0-9a-f]{32}$/);
      ids.add(jti);
    }
    expect(ids.size).toBe(5);
  });
});

test("A30 each sign-in is a session of its own: ending one leaves the others", async () => {
  const person = await house.person();
  const { email, password } = person;
  const second = newSession(await house.send("POST", "/api/sessions", { json: { email, password } }));

  await house.send("DELETE", "/api/sessions", { session: second });

  expect(await idWith(second)).toBe(403);
  expect(await idWith(person.session)).toEqual(expect.any(Number));
});

test("A30 a change of the password ends the sessions that were planted before it", async () => {
  const person = await house.person();
  const planted = newSession(
    await house.send("POST", "/api/sessions", { json: { email: person.email, password: person.password } }),
  );

  const changed = await house.send("PUT", "/api/v9/me", {
    session: person.session,
    json: { current_password: person.password, password: "another river at dusk" },
  });

  expect(changed.status).toBe(200);
  expect(await idWith(planted)).toBe(403);
});

test("A30 a session is taken from its cookie and from nowhere else", async () => {
  const { session } = await house.person();
  const elsewhere: Record<string, Parameters<TestHouse["send"]>[2] & { readonly path?: string }> = {
    query: { path: `/api/v9/me?${sessionCookieName}=${session}` },
    "query, as a token": { path: `/api/v9/me?token=${session}&session=${session}` },
    Bearer: { headers: { authorization: `Bearer ${session}` } },
    "Basic with the token's word": { basic: [session, "api_token"] },
    "another cookie": { headers: { cookie: `session=${session}` } },
    "a header of its name": { headers: { [sessionCookieName]: session, "x-session": session } },
  };
  for (const [where, { path = "/api/v9/me", ...sent }] of Object.entries(elsewhere)) {
    const reply = await house.send("GET", path, sent);
    expect([401, 403], where).toContain(reply.status);
    expect(reply.text, where).not.toContain("api_token");
  }
});

test("A30 a token of our own making for a session that was never begun is none", async () => {
  const { session } = await house.person();
  const { privateKey } = await (await operatorIn(house)).signingKeys.current();
  const { header, claims } = partsOf(session);
  const chosen = claims.replace(/"jti":"[0-9a-f]{32}"/, `"jti":"${"a".repeat(32)}"`);

  expect(await idWith(forge(header, claims, privateKey))).toEqual(expect.any(Number));
  expect(await idWith(forge(header, chosen, privateKey))).toBe(403);
});

test("A30 Basic on the Track API sets no cookie, whatever cookie came with it", async () => {
  const person = await house.person();
  const other = await house.person();
  const reply = await house.send("GET", "/api/v9/me", {
    basic: [person.email, person.password],
    session: other.session,
  });

  expect(reply.json()).toMatchObject({ email: person.email });
  expect(reply.cookies).toEqual([]);
});
