import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hour } from "#kernel/clock.ts";
import { behindProxy, elsewhere, lock, requestVerification, series, signUp } from "../support/attacks.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { codeIn } from "../support/mails.ts";
import { fieldsOf } from "../support/shapes.ts";

afterAll(stopHouses);

const password = "a quiet river at noon";
const verify = "Confirm your e-mail address";
const problem = { accept: "application/problem+json" };

const confirm = (house: TestHouse, code: string) =>
  house.send("POST", `/api/me/email_verification/confirm/${code}`);
const signIn = (house: TestHouse, email: string) =>
  house.send("POST", "/api/sessions", { json: { email, password } });
const codeTo = async (house: TestHouse, email: string) => codeIn(await house.mailTo(email, verify));
const mailsTo = async (house: TestHouse, address: string) =>
  (await house.mails()).filter(({ to }) => to === address);

describe("POST /api/me/email_verification/request", () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startHouse({ ...roomy, ...behindProxy, LATCHKEY_REQUIRE_VERIFIED_EMAIL: "true" });
  });

  test("mails the code once more to who lost the first mail, and it is good for three days again", async () => {
    const email = "Lost.Mail@example.com";
    await signUp(house, email, password);
    const first = await codeTo(house, email);
    house.clock.advance(2 * 24 * hour);

    const reply = await requestVerification(house, "lost.mail@EXAMPLE.com");

    expect([reply.status, reply.json(), reply.cookies]).toEqual([200, { success: true }, []]);
    const mails = await mailsTo(house, email);
    expect(mails.map(({ subject }) => subject)).toEqual([verify, verify]);
    expect(mails.at(-1)?.text).toContain(`${house.config.origin.origin}/verify#${first}`);
    house.clock.advance(2 * 24 * hour);
    expect((await signIn(house, email)).status).toBe(403);
    expect((await confirm(house, first)).status).toBe(200);
    expect((await signIn(house, email)).status).toBe(200);
  });

  test("comes when the first code has run out, too", async () => {
    const email = "late@example.com";
    await signUp(house, email, password);
    await house.mails();
    house.clock.advance(4 * 24 * hour);

    await requestVerification(house, email);

    expect((await confirm(house, await codeTo(house, email))).status).toBe(200);
  });

  test("says the same of everybody else, and mails them nothing", async () => {
    await signUp(house, "verified@example.com", password);
    await confirm(house, await codeTo(house, "verified@example.com"));
    await signUp(house, "locked@example.com", password);
    await lock(house, "locked@example.com");
    const before = (await house.mails()).length;

    for (const email of ["nobody@example.com", "verified@example.com", "locked@example.com"]) {
      const reply = await requestVerification(house, email);
      expect([reply.status, reply.json()], email).toEqual([200, { success: true }]);
    }

    expect(await house.mails()).toHaveLength(before);
  });

  test("leaves a pending change of the address, and any reset, alone", async () => {
    const own = await startHouse(roomy);
    const person = await own.person();
    await own.send("POST", "/api/me/email_change/request", {
      session: person.session,
      json: { email: "pending@example.com", current_password: person.password },
    });
    await requestVerification(own, person.email);

    const account = await own.send("GET", "/api/me", { session: person.session });
    expect(fieldsOf(account.json())).toMatchObject({ pending_email: "pending@example.com" });
    const code = codeIn(await own.mailTo("pending@example.com"));
    expect((await confirm(own, code)).json()).toMatchObject({ success: true, email: "pending@example.com" });
  });

  test("refuses what is no address by name", async () => {
    for (const [json, field] of [
      [{ email: "nobody" }, "email"],
      [{}, "email"],
      [{ email: "ada@example.com", code: "x" }, "code"],
    ] as const) {
      const reply = await house.send("POST", "/api/me/email_verification/request", {
        json,
        headers: problem,
      });
      expect(reply.json()).toMatchObject({ code: "input_invalid", errors: [{ field }] });
    }
  });

  test("mails an address as often as an hour allows, together with the resets, and never says so", async () => {
    const own = await startHouse({ ...behindProxy, LATCHKEY_MAILS: "3" });
    const { email } = await own.person();
    await own.send("POST", "/api/me/password_reset/request", { json: { email }, headers: elsewhere() });

    const replies = await series(5, () => requestVerification(own, email));

    expect(new Set(replies.map(({ status, text }) => `${status} ${text}`))).toEqual(
      new Set(['200 {"success":true}']),
    );
    // The one of the sign-up, and two.
    expect((await mailsTo(own, email)).filter(({ subject }) => subject === verify)).toHaveLength(3);
    own.clock.advance(hour);
    await requestVerification(own, email);
    expect((await mailsTo(own, email)).filter(({ subject }) => subject === verify)).toHaveLength(4);
  });
});
