import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  all,
  allChannels,
  passwordChannels,
  sessionChannels,
  statuses,
  tokenChannels,
} from "../support/channels.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import type { Sent } from "../support/http.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

const resetToken = (sent: Sent) => house.send("POST", "/api/v9/me/reset_token", sent);

describe("the API token", () => {
  test("is made with the account, and stays until it is replaced", async () => {
    const person = await house.person();
    const token = await house.tokenOf(person);

    expect(token).toMatch(/^[0-9a-f]{32}$/);
    expect(await house.tokenOf(person)).toBe(token);
    await house.send("PUT", "/api/v9/me", {
      session: person.session,
      json: { current_password: person.password, password: "a loud river at noon" },
    });
    expect(await house.tokenOf(person)).toBe(token);
  });
});

describe("POST /api/v9/me/reset_token", () => {
  test.for(["cookie", "password", "token"] as const)(
    "by %s answers with the new token as a bare string",
    async (way) => {
      const person = await house.person();
      const old = { ...person, token: await house.tokenOf(person) };
      const sent: Readonly<Record<typeof way, Sent>> = {
        cookie: { session: person.session },
        password: { basic: [person.email, person.password] },
        token: { basic: [old.token, "api_token"] },
      };

      const reply = await resetToken(sent[way]);

      expect(reply.status).toBe(200);
      expect(reply.headers["content-type"]).toBe("application/json; charset=utf-8");
      expect(reply.text).toMatch(/^"[0-9a-f]{32}"$/);
      expect(reply.cookies).toEqual([]);
      const token = reply.text.slice(1, -1);
      expect(token).not.toBe(old.token);
      expect(await statuses(house, tokenChannels, old)).toEqual(all(tokenChannels, 403));
      expect(await statuses(house, tokenChannels, { ...old, token })).toEqual(all(tokenChannels, 200));
      expect(await house.tokenOf(person)).toBe(token);
    },
  );

  test("leaves sessions, the password and other people alone, and tells the owner by mail", async () => {
    const person = await house.person();
    const bystander = await house.person();
    const theirs = { ...bystander, token: await house.tokenOf(bystander) };
    const mails = (await house.mails()).length;

    await resetToken({ session: person.session });

    const keys = { ...person, token: "" };
    expect(await statuses(house, passwordChannels, keys)).toEqual(all(passwordChannels, 200));
    expect(await statuses(house, sessionChannels, keys)).toEqual(all(sessionChannels, 200));
    expect(await statuses(house, allChannels, theirs)).toEqual(all(allChannels, 200));
    expect(await house.mails()).toHaveLength(mails + 1);
    const mail = await house.mailTo(person.email, "Your API token was replaced");
    expect(mail?.text).toContain("from a browser that is signed in");
  });

  test("asked for many times at once leaves one token that works", async () => {
    const person = await house.person();

    const replies = await Promise.all(
      Array.from({ length: 8 }, () => resetToken({ session: person.session })),
    );

    const tokens = replies.map(({ text }) => text.slice(1, -1));
    expect(new Set(tokens).size).toBe(8);
    const live = await house.tokenOf(person);
    for (const token of tokens) {
      const { status } = await house.send("GET", "/api/v9/me", { basic: [token, "api_token"] });
      expect(status).toBe(token === live ? 200 : 403);
    }
    expect(tokens).toContain(live);
  });

  test.for([
    ["no credentials", {}, 401],
    ["an unknown token", { basic: ["1971800d4d82861d8f2c1651fea4d212", "api_token"] }, 403],
    ["a wrong password", { basic: ["nobody@example.com", "wrong"] }, 403],
    ["a dead cookie", { session: "x" }, 403],
  ] satisfies [string, Sent, number][])("with %s gives none", async ([, sent, status]) => {
    const reply = await resetToken(sent);

    expect(reply.status).toBe(status);
    expect(reply.text).not.toMatch(/[0-9a-f]{32}/);
  });

  test("holds after a restart", async () => {
    const before = await startHouse();
    const person = await before.person();
    const old = await before.tokenOf(person);
    await before.send("POST", "/api/v9/me/reset_token", { session: person.session });
    const token = await before.tokenOf(person);

    const after = await before.restart();

    expect((await after.send("GET", "/api/v9/me", { basic: [old, "api_token"] })).status).toBe(403);
    expect((await after.send("GET", "/api/v9/me", { basic: [token, "api_token"] })).status).toBe(200);
    expect(await after.tokenOf(person)).toBe(token);
  });
});
