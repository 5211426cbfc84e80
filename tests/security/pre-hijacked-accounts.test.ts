import { afterAll, beforeAll, expect, test } from "vitest";
import {
  audited,
  behindProxy,
  confirmReset,
  elsewhere,
  mailedCode,
  mailedDuring,
  requestChange,
  resetCode,
  sessionsOf,
  signIn,
} from "../support/attacks.ts";
import { all, allChannels, passwordChannels, statuses, tokenChannels } from "../support/channels.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { sessionOf, type Sent } from "../support/http.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse({ ...roomy, ...behindProxy });
});
afterAll(stopHouses);

let victims = 0;

/** Somebody signed up with an address that is not theirs, and has everything that an account gives. */
const hijack = async () => {
  victims += 1;
  const person = await house.person(`victim${victims}@example.com`, "the hijacker's own river");
  return { ...person, token: await house.tokenOf(person) };
};

const verify = (code: string, sent: Sent = {}) =>
  house.send("POST", `/api/me/email_verification/confirm/${code}`, { headers: elsewhere(), ...sent });

const tokenNow = async (session: string | undefined): Promise<unknown> => {
  const me: unknown = (await house.send("GET", "/api/v9/me", { session })).json();
  return typeof me === "object" && me !== null && "api_token" in me ? me.api_token : undefined;
};

test("a hijacker who signed up first keeps nothing after the owner's reset", async () => {
  const hijacker = await hijack();
  const waiting = await requestChange(house, hijacker, "hijacker@evil.example");
  expect(waiting.status).toBe(200);
  const change = await mailedCode(house, "hijacker@evil.example", "change");
  const verification = await mailedCode(house, hijacker.email, "verify");
  const code = await resetCode(house, hijacker.email);

  const reset = await confirmReset(house, code, "the owner's own river");

  expect(reset.json()).toEqual({ success: true, token_replaced: true });
  expect(await statuses(house, allChannels, hijacker)).toEqual(all(allChannels, 403));
  expect([(await verify(change)).status, (await verify(verification)).status]).toEqual([400, 400]);
  const owner = { ...hijacker, password: "the owner's own river", session: sessionOf(reset) ?? "" };
  const token = await tokenNow(owner.session);
  expect(token).not.toBe(hijacker.token);
  expect(await statuses(house, allChannels, { ...owner, token: String(token) })).toEqual(
    all(allChannels, 200),
  );
  const me = await house.send("GET", "/api/me", { session: owner.session });
  expect(me.json()).toMatchObject({ email: hijacker.email, email_verified: true, pending_email: null });
  expect(await audited(house, "token_replaced", hijacker.email)).toBe(1);
});

test("a hijacker's token can't be kept by the owner's slip", async () => {
  const hijacker = await hijack();
  const code = await resetCode(house, hijacker.email);
  const confirm = (keep: boolean) =>
    house.send("POST", `/api/me/password_reset/confirm/${code}`, {
      json: { password: "the owner's own river", keep_token: keep },
      headers: { ...elsewhere(), accept: "application/problem+json" },
    });

  const refused = await confirm(true);

  expect([refused.status, refused.cookies]).toEqual([400, []]);
  expect(refused.json()).toMatchObject({ errors: [{ field: "keep_token", rule: "unproved" }] });
  expect(await statuses(house, allChannels, hijacker)).toEqual(all(allChannels, 200));
  // The code is still good, without it.
  expect((await confirm(false)).status).toBe(200);
  expect(await statuses(house, allChannels, hijacker)).toEqual(all(allChannels, 403));
});

test("a hijacker's session, token and pending change end when the owner confirms the address", async () => {
  const hijacker = await hijack();
  await requestChange(house, hijacker, "hijacker@evil.example");
  const change = await mailedCode(house, "hijacker@evil.example", "change");
  const reset = await resetCode(house, hijacker.email);
  const code = await mailedCode(house, hijacker.email, "verify");

  const mails = await mailedDuring(house, async () => {
    const reply = await verify(code);
    expect(reply.json()).toEqual({ success: true, email: hijacker.email, token_replaced: true });
    expect(reply.cookies).toEqual([]);
  });

  expect(mails.map(({ to, subject }) => [to, subject])).toEqual([
    [hijacker.email, "Your API token was replaced"],
  ]);
  expect(mails[0]?.text).toContain("confirmed for the first time");
  expect(mails[0]?.text).toContain(`${house.config.origin.origin}/account/tokens`);
  expect(mails[0]?.text).toContain(`${house.config.origin.origin}/forgot`);
  expect(mails[0]?.raw).not.toContain(hijacker.token);
  expect(await sessionsOf(house, hijacker.email)).toBe(0);
  expect(await statuses(house, tokenChannels, hijacker)).toEqual(all(tokenChannels, 403));
  expect((await house.send("GET", "/api/v9/me", { session: hijacker.session })).status).toBe(403);
  expect((await verify(change)).status).toBe(400);
  expect((await confirmReset(house, reset, "a river by code")).status).toBe(400);
});

test("whoever confirms in a session of somebody else confirms without one", async () => {
  const hijacker = await hijack();
  const other = await house.person();
  const code = await mailedCode(house, hijacker.email, "verify");

  const reply = await verify(code, { session: other.session });

  expect(reply.json()).toMatchObject({ token_replaced: true });
  expect(await sessionsOf(house, hijacker.email)).toBe(0);
  expect(await sessionsOf(house, other.email)).toBe(1);
});

test("whoever confirms in a session that has ended confirms without one", async () => {
  const hijacker = await hijack();
  const ended = sessionOf(await signIn(house, hijacker.email, hijacker.password, elsewhere()));
  await house.send("DELETE", "/api/sessions", { session: ended });
  const code = await mailedCode(house, hijacker.email, "verify");

  const reply = await verify(code, { session: ended });

  expect(reply.json()).toMatchObject({ token_replaced: true });
  expect(await sessionsOf(house, hijacker.email)).toBe(0);
});

test("whoever signs up, copies the token and confirms in the same browser loses nothing, and others do", async () => {
  const person = await hijack();
  const other = sessionOf(await signIn(house, person.email, person.password, elsewhere()));
  const code = await mailedCode(house, person.email, "verify");

  const mails = await mailedDuring(house, async () => {
    const reply = await verify(code, { session: person.session });
    expect(reply.json()).toEqual({ success: true, email: person.email, token_replaced: false });
  });

  expect(mails).toEqual([]);
  expect(await statuses(house, allChannels, person)).toEqual(all(allChannels, 200));
  expect((await house.send("GET", "/api/v9/me", { session: other })).status).toBe(403);
});

test("whoever confirms with the password keeps the token, and a wrong one confirms nothing", async () => {
  const person = await hijack();
  const code = await mailedCode(house, person.email, "verify");
  const by = async (user: string, password: string) =>
    (await verify(code, { basic: [user, password] })).status;

  expect(await by(person.email, "not the password")).toBe(403);
  expect(await by("somebody@example.com", person.password)).toBe(403);
  expect(await by(person.token, "api_token")).toBe(403);
  const verified = async () => (await house.send("GET", "/api/me", { session: person.session })).json();
  expect(await verified()).toMatchObject({ email_verified: false });

  expect(await by(person.email, person.password)).toBe(200);

  const keys = { ...person, session: "" };
  expect(await statuses(house, [...passwordChannels, ...tokenChannels], keys)).toEqual(
    all([...passwordChannels, ...tokenChannels], 200),
  );
});

test("where addresses are verified first, the password that came along with the code counts too", async () => {
  const strict = await startHouse({ LATCHKEY_REQUIRE_VERIFIED_EMAIL: "true" });
  const json = { email: "ada@example.com", password: "a quiet river at noon", tos_accepted_for: "track" };
  await strict.send("POST", "/api/signup", { json });
  const path = `/api/me/email_verification/confirm/${await mailedCode(strict, json.email, "verify")}`;

  const wrong = await strict.send("POST", path, { basic: [json.email, "not the password"] });
  const right = await strict.send("POST", path, { basic: [json.email, json.password] });

  expect([wrong.status, right.status]).toEqual([403, 200]);
  expect(right.json()).toMatchObject({ token_replaced: false });
});

test("a thief of the mailbox's code can't guess the password with it without end", async () => {
  const person = await hijack();
  const code = await mailedCode(house, person.email, "verify");
  const counted: number[] = [];
  for (let guess = 0; guess < 102; guess += 1) {
    counted.push((await verify(code, { basic: [person.email, `guess ${guess}`] })).status);
  }
  // As many as anybody may try: `roomy` allows 100.
  expect([counted.filter((status) => status === 403).length, counted.at(-1)]).toEqual([100, 429]);
});

test("an account that was moved to somebody else's address is won by who reads its mails", async () => {
  const mover = await hijack();
  await verify(await mailedCode(house, mover.email, "verify"), { session: mover.session });
  const json = { email: "owner-of-this@example.com", current_password: mover.password };
  await house.send("PUT", "/api/v9/me", { session: mover.session, json });

  const reset = await confirmReset(house, await resetCode(house, json.email), "the owner's own river");

  expect(reset.json()).toMatchObject({ token_replaced: true });
  expect(await statuses(house, tokenChannels, mover)).toEqual(all(tokenChannels, 403));
});

test("a later change of address, confirmed without a session, ends nothing: it was asked for in one", async () => {
  const person = await hijack();
  await verify(await mailedCode(house, person.email, "verify"), { session: person.session });
  await requestChange(house, person, "moved-on@example.com");

  const reply = await verify(await mailedCode(house, "moved-on@example.com", "change"));

  expect(reply.json()).toEqual({ success: true, email: "moved-on@example.com", token_replaced: false });
  const keys = { ...person, email: "moved-on@example.com" };
  expect(await statuses(house, allChannels, keys)).toEqual(all(allChannels, 200));
});
