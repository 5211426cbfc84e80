import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "#kernel/config.ts";
import { Secret } from "#kernel/secret.ts";
import { lock, series, signUp } from "../support/attacks.ts";
import { all, allChannels, passwordChannels, statuses } from "../support/channels.ts";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import { sessionOf, type Reply } from "../support/http.ts";
import { codeIn } from "../support/mails.ts";

afterAll(stopHouses);

const password = "a quiet river at noon";
const verify = "Confirm your e-mail address";
const problem = { accept: "application/problem+json" };
const sentence =
  "Confirm your e-mail address first: open the link in the mail we sent, or ask for a new one.";

const confirm = (house: TestHouse, code: string) =>
  house.send("POST", `/api/me/email_verification/confirm/${code}`);
const signIn = (house: TestHouse, email: string, tried = password, headers = {}) =>
  house.send("POST", "/api/sessions", { json: { email, password: tried }, headers });
const byBasic = (house: TestHouse, email: string, tried = password) =>
  house.send("GET", "/api/v9/me", { basic: [email, tried] });
const codeTo = async (house: TestHouse, email: string) => codeIn(await house.mailTo(email, verify));
const mailsTo = async (house: TestHouse, address: string) =>
  (await house.mails()).filter(({ to }) => to === address);

/** The two switches that make a difference to who gets in, in all their positions. */
const switches = [
  { hidden: false, required: false },
  { hidden: false, required: true },
  { hidden: true, required: false },
  { hidden: true, required: true },
] as const;

const settingsOf = ({ hidden, required }: (typeof switches)[number]): Readonly<Record<string, string>> => ({
  ...(hidden ? { LATCHKEY_HIDE_ACCOUNTS: "strict" } : {}),
  LATCHKEY_REQUIRE_VERIFIED_EMAIL: String(required),
});

describe.each(switches)(
  "LATCHKEY_HIDE_ACCOUNTS strict: $hidden, LATCHKEY_REQUIRE_VERIFIED_EMAIL: $required",
  (position) => {
    const { hidden, required } = position;
    const first = hidden || required;
    let house: TestHouse;
    /** Signed in before the switches were set, and never verified. */
    let resident: Person;
    let token: string;
    beforeAll(async () => {
      const before = await startHouse(roomy);
      resident = await before.person("resident@example.com", password);
      token = await before.tokenOf(resident);
      house = await before.restart(settingsOf(position));
    });

    const expectTurnedAway = (reply: Reply): void => {
      expect([reply.status, reply.cookies]).toEqual([403, []]);
      // Where accounts are hidden, a right password must not be told from a wrong one.
      expect([hidden, reply.json()]).toEqual([
        hidden,
        hidden ? expect.not.stringContaining("Confirm") : sentence,
      ]);
    };

    test("a sign-up signs in at once only where nothing is to be verified first", async () => {
      const reply = await signUp(house, "newcomer@example.com", password);

      expect([reply.status, reply.json()]).toEqual([200, { success: true }]);
      expect(reply.cookies).toHaveLength(first ? 0 : 1);
      expect((await mailsTo(house, "newcomer@example.com")).map(({ subject }) => subject)).toEqual([verify]);
    });

    test("the password opens before the address is verified, or only after", async () => {
      const email = "waiting@example.com";
      await signUp(house, email, password);
      if (first) {
        expectTurnedAway(await signIn(house, email));
        expectTurnedAway(await house.send("POST", "/api/sessions", { basic: [email, password] }));
        expectTurnedAway(await byBasic(house, email));
        expectTurnedAway(
          await house.send("POST", "/api/me/close_account/track", { basic: [email, password] }),
        );
      } else {
        expect([(await signIn(house, email)).status, (await byBasic(house, email)).status]).toEqual([
          200, 200,
        ]);
      }

      expect((await confirm(house, await codeTo(house, email))).json()).toMatchObject({
        success: true,
        email,
      });

      expect([(await signIn(house, email)).status, (await byBasic(house, email)).status]).toEqual([200, 200]);
    });

    test("the refusal has a code of its own, unless accounts are hidden", async () => {
      const email = "coded@example.com";
      await signUp(house, email, password);
      if (!first) return;

      const reply = await signIn(house, email, password, problem);
      expect(reply.json()).toMatchObject({ code: hidden ? "credentials_wrong" : "email_unverified" });
      const onTrack = await house.send("GET", "/api/v9/me", { basic: [email, password], headers: problem });
      expect(onTrack.json()).toMatchObject({ code: hidden ? "credentials_wrong" : "email_unverified" });
    });

    test("a wrong password is a wrong password, verified or not", async () => {
      const email = "wrong@example.com";
      await signUp(house, email, password);
      const nobody = await signIn(house, "nobody@example.com");

      for (const tried of ["not the password", ""]) {
        const reply = await signIn(house, email, tried);
        expect([reply.status, reply.text]).toEqual([nobody.status, nobody.text]);
      }
    });

    test("a token and a session that are there keep working", async () => {
      const keys = { ...resident, token };
      const open = allChannels.filter((channel) => !first || !passwordChannels.includes(channel));

      expect(await statuses(house, open, keys)).toEqual(all(open, 200));
      expect((await house.send("GET", "/api/me", { session: resident.session })).json()).toMatchObject({
        email_verified: false,
      });
    });

    test("PUT /api/v9/me moves to a new address at once only where that locks nobody out", async () => {
      const before = await startHouse(roomy);
      const person = await before.person("person@example.com", password);
      const own = await before.restart(settingsOf(position));
      const json = { email: "moved@example.com", current_password: password, fullname: "Ada King" };

      const reply = await own.send("PUT", "/api/v9/me", { session: person.session, json });

      expect(reply.status).toBe(200);
      expect(reply.json()).toMatchObject({
        email: first ? "person@example.com" : "moved@example.com",
        fullname: "Ada King",
      });
      const account = await own.send("GET", "/api/me", { session: person.session });
      expect(account.json()).toMatchObject({ pending_email: first ? "moved@example.com" : null });
      const subjects = (await mailsTo(own, "moved@example.com")).map(({ subject }) => subject);
      expect(subjects).toEqual([first ? "Confirm your new e-mail address" : verify]);
      if (!first) return;

      const code = codeIn(await own.mailTo("moved@example.com"));
      expect((await confirm(own, code)).json()).toMatchObject({ success: true, email: "moved@example.com" });
      expect((await signIn(own, "moved@example.com")).status).toBe(200);
    });

    test("a new address and a new password in one call are both asked of the current one", async () => {
      const before = await startHouse(roomy);
      const person = await before.person("person@example.com", password);
      const own = await before.restart(settingsOf(position));
      const json = {
        email: "moved@example.com",
        password: "another river at dusk",
        current_password: password,
      };

      expect((await own.send("PUT", "/api/v9/me", { session: person.session, json })).status).toBe(200);

      if (first) {
        await confirm(own, codeIn(await own.mailTo("moved@example.com")));
      }
      const entering = await Promise.all(
        ["another river at dusk", password].map(
          async (tried) => (await signIn(own, "moved@example.com", tried)).status,
        ),
      );
      expect(entering).toEqual([200, 403]);
    });

    test("whoever resets the password has read the mail, and is let in", async () => {
      const email = "lost@example.com";
      await signUp(house, email, password);
      house.clock.advance(1);
      await house.send("POST", "/api/me/password_reset/request", { json: { email } });
      const code = codeIn(await house.mailTo(email, "Reset your password"));

      const reply = await house.send("POST", `/api/me/password_reset/confirm/${code}`, {
        json: { password: "another river at dusk" },
      });

      expect((await house.send("GET", "/api/v9/me", { session: sessionOf(reply) })).status).toBe(200);
      expect((await signIn(house, email, "another river at dusk")).status).toBe(200);
    });

    test("an account that the operator vouches for is let in", async () => {
      const email = { address: "vouched@example.com", canonical: "vouched@example.com" };
      const newcomer = { email, password: new Secret(password), displayName: undefined, timezone: undefined };
      await house.inside.accounts.use.createAccount({ ...newcomer, verified: true }, {});

      expect((await signIn(house, "vouched@example.com")).status).toBe(200);
    });
  },
);

describe("a right password before the address is verified", () => {
  test("is no wrong try where the answer says what is missing", async () => {
    const house = await startHouse({ LATCHKEY_REQUIRE_VERIFIED_EMAIL: "true", LATCHKEY_PASSWORD_TRIES: "3" });
    const email = "waiting@example.com";
    await signUp(house, email, password);

    const tried = await series(8, () => signIn(house, email));
    const byProgram = await series(4, () => byBasic(house, email));

    expect(new Set([...tried, ...byProgram].map(({ status }) => status))).toEqual(new Set([403]));
    expect([tried.at(-1)?.json(), byProgram.at(-1)?.json()]).toEqual([sentence, sentence]);
    // Wrong ones are still counted, and the right one gives none of them back.
    await series(3, () => signIn(house, email, "not the password"));
    expect((await signIn(house, email)).status).toBe(429);
  });

  test("counts like any other where accounts are hidden", async () => {
    const house = await startHouse({
      LATCHKEY_REQUIRE_VERIFIED_EMAIL: "true",
      LATCHKEY_HIDE_ACCOUNTS: "strict",
      LATCHKEY_PASSWORD_TRIES: "3",
    });
    const email = "waiting@example.com";
    await signUp(house, email, password);

    const tried = await series(4, () => signIn(house, email));

    expect(tried.map(({ status }) => status)).toEqual([403, 403, 403, 429]);
  });

  test("opens nothing of a closed or locked account, and does not tell that it is right", async () => {
    const house = await startHouse({ LATCHKEY_REQUIRE_VERIFIED_EMAIL: "true" });
    await signUp(house, "locked@example.com", password);
    await lock(house, "locked@example.com");

    const reply = await signIn(house, "locked@example.com");

    expect([reply.status, reply.json()]).toEqual([403, "Incorrect email and/or password"]);
  });

  test("a taken address is refused at sign-up by name, as ever where accounts are not hidden", async () => {
    const house = await startHouse({ LATCHKEY_REQUIRE_VERIFIED_EMAIL: "true" });
    await signUp(house, "taken@example.com", password);

    const reply = await signUp(house, "taken@example.com", password);

    expect([reply.status, reply.json()]).toEqual([400, "user with this email already exists"]);
  });
});

describe("LATCHKEY_REQUIRE_VERIFIED_EMAIL", () => {
  test("is true or false in the words of whoever writes it, and nothing else", () => {
    const at = (value: string) => () =>
      loadConfig({ LATCHKEY_REQUIRE_VERIFIED_EMAIL: value }, false).requireVerifiedEmail;

    for (const value of ["true", "TRUE", "yes", "1", "on"]) expect(at(value)()).toBe(true);
    for (const value of ["", "false", "False", "no", "0", "off"]) expect(at(value)()).toBe(false);
    for (const value of ["2", "ja", "strict"]) {
      expect(at(value)).toThrow('LATCHKEY_REQUIRE_VERIFIED_EMAIL must be "true" or "false"');
    }
  });
});
