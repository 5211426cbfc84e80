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
import { sessionOf } from "../support/http.ts";
import { codeIn } from "../support/mails.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

const minute = 60_000;
const subject = "Reset your password";
const refusedCode = "The code is not valid or has expired. Request a new one.";

const request = (json: unknown) => house.send("POST", "/api/me/password_reset/request", { json });
const confirm = (code: string, password = "a new quiet river") =>
  house.send("POST", `/api/me/password_reset/confirm/${code}`, { json: { password } });
const mailedCode = async (email: string): Promise<string> => {
  // So that of two mails the newer one is told by its time.
  house.clock.advance(1);
  await request({ email });
  return codeIn(await house.mailTo(email, subject));
};

describe("POST /api/me/password_reset/request", () => {
  test("mails a code that stands alone on a line, and in a link to our own page", async () => {
    const { email } = await house.person();
    const before = (await house.mails()).length;

    const reply = await request({ email });

    expect(reply.status).toBe(200);
    expect(reply.json()).toEqual({ success: true });
    expect(reply.cookies).toEqual([]);
    expect(await house.mails()).toHaveLength(before + 1);
    const mail = await house.mailTo(email, subject);
    const code = codeIn(mail);
    expect(mail?.text.split("\n")).toContain(code);
    expect(mail?.text.split("\n")).toContain(`${house.config.origin.origin}/reset#${code}`);
    expect(mail?.html).toContain(`href="${house.config.origin.origin}/reset#${code}"`);
    expect(mail?.text).toContain("30 minutes");
    expect(reply.text).not.toContain(code);
    expect(house.logs.join("\n")).not.toContain(code);
  });

  test("answers the same for an address that nobody has, and mails nothing", async () => {
    const { email } = await house.person();
    const known = await request({ email });
    const before = (await house.mails()).length;

    const unknown = await request({ email: "nobody-at-all@example.com" });

    expect(unknown.status).toBe(known.status);
    expect(unknown.text).toBe(known.text);
    const names = (headers: object) => Object.keys(headers).toSorted();
    expect(names(unknown.headers)).toEqual(names(known.headers));
    expect(await house.mails()).toHaveLength(before);
  });

  test("goes to the address as it was signed up, however it is typed now", async () => {
    const { email } = await house.person("Forgot.Me@example.com");

    await request({ email: " FORGOT.me@EXAMPLE.com " });

    expect(codeIn(await house.mailTo(email, subject))).toHaveLength(26);
    expect(await house.mailTo("FORGOT.me@example.com")).toBeUndefined();
  });

  test("takes nothing of the request into the link", async () => {
    const { email } = await house.person();

    await house.send("POST", "/api/me/password_reset/request", {
      json: { email },
      headers: { host: "evil.example", "x-forwarded-host": "evil.example", forwarded: "host=evil.example" },
    });

    const mail = await house.mailTo(email, subject);
    expect(mail?.raw).not.toContain("evil.example");
    expect(mail?.text).toContain(`${house.config.origin.origin}/reset#`);
  });

  test("changes nothing by itself", async () => {
    const person = await house.person();
    const keys = { ...person, token: await house.tokenOf(person) };

    await request({ email: person.email });

    expect(await statuses(house, allChannels, keys)).toEqual(all(allChannels, 200));
  });

  test.for([
    ["no address", {}, "email is required"],
    ["nothing", undefined, "email is required"],
    ["something else than an address", { email: "nobody" }, "email must be an address like name@example.com"],
    ["a list", { email: ["ada@example.com"] }, "email must be a string"],
    ["a field too many", { email: "ada@example.com", password: "x" }, "password is not a known field"],
  ] satisfies [string, unknown, string][])("refuses %s", async ([, json, sentence]) => {
    const before = (await house.mails()).length;

    const reply = await request(json);

    expect([reply.status, reply.json()]).toEqual([400, sentence]);
    expect(await house.mails()).toHaveLength(before);
  });
});

describe("POST /api/me/password_reset/confirm/<code>", () => {
  test("sets the password, ends every session, starts a new one, and tells by mail", async () => {
    const person = await house.person();
    const keys = { ...person, token: await house.tokenOf(person) };
    const code = await mailedCode(person.email);

    const reply = await confirm(code);

    expect(reply.status).toBe(200);
    expect(reply.json()).toEqual({ success: true, token_replaced: true });
    const session = sessionOf(reply) ?? "";
    expect(reply.cookies).toEqual([
      `__Secure-accounts-session=${session}; Path=/; HttpOnly; Secure; SameSite=Lax`,
    ]);
    expect(await statuses(house, passwordChannels, keys)).toEqual(all(passwordChannels, 403));
    expect(await statuses(house, sessionChannels, keys)).toEqual(all(sessionChannels, 403));
    expect(await statuses(house, tokenChannels, keys)).toEqual(all(tokenChannels, 403));
    const now = { ...keys, session, password: "a new quiet river" };
    now.token = await house.tokenOf(now);
    expect(await statuses(house, allChannels, now)).toEqual(all(allChannels, 200));
    const changed = (await house.mails()).filter(
      (mail) => mail.to === person.email && mail.subject === "Your password was changed",
    );
    expect(changed).toHaveLength(1);
    expect(changed[0]?.raw).not.toContain("quiet river");
    expect(house.logs.join("\n")).not.toContain(code);
  });

  test.for([
    ["in capitals", (code: string) => code.toUpperCase()],
    ["with hyphens", (code: string) => code.replaceAll(/(.{5})/g, "$1-")],
    [
      "with blanks around and within",
      (code: string) => encodeURIComponent(` ${code.slice(0, 13)} ${code.slice(13)} `),
    ],
    [
      "with letters for the digits that they look like",
      (code: string) => code.replaceAll("0", "O").replaceAll("1", "l"),
    ],
  ] satisfies [string, (code: string) => string][])("takes the code %s", async ([, typed]) => {
    const { email } = await house.person();
    const code = await mailedCode(email);

    expect((await confirm(typed(code))).status).toBe(200);
  });

  test("takes a code for 30 minutes and not a moment longer", async () => {
    const [late, early] = [await house.person(), await house.person()];
    const codes = [await mailedCode(late.email), await mailedCode(early.email)] as const;
    house.clock.advance(30 * minute - 1);

    // The first one was mailed a millisecond before the second.
    const replies = [await confirm(codes[0]), await confirm(codes[1])];

    expect(replies.map(({ status }) => status)).toEqual([400, 200]);
    expect(replies[0]?.json()).toBe(refusedCode);
    expect((await house.send("GET", "/api/v9/me", { basic: [late.email, late.password] })).status).toBe(200);
  });

  test("mails a code again while it is good, and then another one that alone is taken", async () => {
    const { email } = await house.person();
    const first = await mailedCode(email);
    expect(await mailedCode(email)).toBe(first);
    house.clock.advance(30 * minute);
    const second = await mailedCode(email);

    expect(second).not.toBe(first);
    expect((await confirm(first)).status).toBe(400);
    expect((await confirm(second)).status).toBe(200);
  });

  test("takes a code once, also of many who come at once", async () => {
    const { email } = await house.person();
    const code = await mailedCode(email);

    const replies = await Promise.all(
      Array.from({ length: 6 }, (_, index) => confirm(code, `the password of runner ${index}`)),
    );

    expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200, 400, 400, 400, 400, 400,
    ]);
    expect(replies.flatMap(({ cookies }) => cookies)).toHaveLength(1);
    const winner = replies.findIndex(({ status }) => status === 200);
    for (const index of replies.keys()) {
      const me = await house.send("GET", "/api/v9/me", { basic: [email, `the password of runner ${index}`] });
      expect(me.status).toBe(index === winner ? 200 : 403);
    }
    expect((await confirm(code)).status).toBe(400);
  });

  test("keeps the code when the password is refused, and says why", async () => {
    const { email } = await house.person();
    const code = await mailedCode(email);

    for (const [password, sentence] of [
      ["short", "password must have at least 8 characters"],
      ["password1", "password is one of the most common passwords"],
      ["api_token", "password must not be made from api_token"],
      [email, "password must not be made from your email address"],
    ] as const) {
      const reply = await confirm(code, password);
      expect([reply.status, reply.json(), reply.cookies]).toEqual([400, sentence, []]);
    }
    expect((await confirm(code)).status).toBe(200);
  });

  test("is not what GET does", async () => {
    const { email } = await house.person();
    const code = await mailedCode(email);

    const got = await house.send("GET", `/api/me/password_reset/confirm/${code}`);

    expect([got.status, got.headers.allow]).toEqual([405, "POST"]);
    expect((await confirm(code)).status).toBe(200);
  });

  test("lets in the owner of an account that strangers guessed at", async () => {
    const { email } = await house.person();
    for (let guess = 0; guess < 101; guess += 1) {
      await house.send("POST", "/api/sessions", { json: { email, password: `guess ${guess}` } });
    }
    const signIn = () =>
      house.send("POST", "/api/sessions", { json: { email, password: "a new quiet river" } });
    expect((await signIn()).status).toBe(429);

    expect((await confirm(await mailedCode(email))).status).toBe(200);

    expect((await signIn()).status).toBe(200);
  });

  test.for([
    ["a code that was never mailed", "0123456789abcdefghjkmnpqrs"],
    ["a short code", "0123456789abcdefghjkmnpqr"],
    ["something else than a code", "..%2f..%2fetc%2fpasswd"],
    ["a code of 1,000 characters", "0".repeat(1000)],
  ] satisfies [string, string][])("refuses %s", async ([, code]) => {
    const reply = await confirm(code);

    expect([reply.status, reply.json(), reply.cookies]).toEqual([400, refusedCode, []]);
  });

  test("refuses the codes of other mails", async () => {
    const { email } = await house.person();
    const code = codeIn(await house.mailTo(email, "Confirm your e-mail address"));

    expect((await confirm(code)).status).toBe(400);
    expect((await house.send("POST", `/api/me/email_verification/confirm/${code}`)).status).toBe(200);
  });

  test("refuses a code when the password was changed after it", async () => {
    const { email, password, session } = await house.person();
    const code = await mailedCode(email);
    await house.send("PUT", "/api/v9/me", {
      session,
      json: { current_password: password, password: "another river" },
    });

    expect((await confirm(code)).status).toBe(400);
  });

  test.for([
    ["no body", undefined, "password is required"],
    ["a number", { password: 12345678 }, "password must be a string"],
    [
      "a field too many",
      { password: "a new quiet river", email: "ada@example.com" },
      "email is not a known field",
    ],
  ] satisfies [string, unknown, string][])("refuses %s", async ([, json, sentence]) => {
    const reply = await house.send("POST", "/api/me/password_reset/confirm/0123456789abcdefghjkmnpqrs", {
      json,
    });

    expect([reply.status, reply.json()]).toEqual([400, sentence]);
  });
});
