import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { day } from "#kernel/clock.ts";
import { all, allChannels, passwordChannels, statuses } from "../support/channels.ts";
import { shellWords } from "../support/curl.ts";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import { codeIn } from "../support/mails.ts";
import { fieldsOf, listOf } from "../support/shapes.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

const problem = { accept: "application/problem+json" };
const subjects = {
  verify: "Confirm your e-mail address",
  confirm: "Confirm your new e-mail address",
  asked: "A new e-mail address was asked for",
  changed: "Your e-mail address was changed",
} as const;

let addresses = 0;
const unused = (): string => `moved${++addresses}@example.com`;

const request = ({ session, password }: Person, email: unknown, at = house) =>
  at.send("POST", "/api/me/email_change/request", {
    session,
    json: { email, current_password: password },
    headers: problem,
  });
const drop = ({ session }: Person) => house.send("DELETE", "/api/me/email_change", { session });
const confirm = (code: string, at = house) =>
  at.send("POST", `/api/me/email_verification/confirm/${code}`, { headers: problem });
const codeFor = async (email: string, at = house) => codeIn(await at.mailTo(email, subjects.confirm));
const account = async ({ session }: Person, at = house) =>
  fieldsOf((await at.send("GET", "/api/me", { session })).json());
const subjectsTo = async (address: string, at = house) =>
  (await at.mails()).filter(({ to }) => to === address).map(({ subject }) => subject);
const eventsOf = async ({ session }: Person) =>
  listOf(fieldsOf((await house.send("GET", "/api/me/audit", { session })).json())["events"]).map(
    ({ event }) => String(event),
  );
const keysOf = async (person: Person) => ({ ...person, token: await house.tokenOf(person) });

describe("POST /api/me/email_change/request", () => {
  test("mails a code to the new address, tells the old one, and changes nothing", async () => {
    const person = await house.person();
    const keys = await keysOf(person);
    const moved = unused();

    const reply = await request(person, moved);

    expect([reply.status, reply.json(), reply.cookies]).toEqual([200, { success: true }, []]);
    expect(await account(person)).toMatchObject({ email: person.email, pending_email: moved });
    expect(await statuses(house, allChannels, keys)).toEqual(all(allChannels, 200));
    expect(await statuses(house, passwordChannels, { ...keys, email: moved })).toEqual(
      all(passwordChannels, 403),
    );
    expect(await subjectsTo(moved)).toEqual([subjects.confirm]);
    expect((await subjectsTo(person.email)).toSorted()).toEqual([subjects.asked, subjects.verify]);
  });

  test("has a mail with a link that carries the code where no server sees it, the code alone, and a command", async () => {
    const person = await house.person();
    const moved = unused();
    await request(person, moved);
    const { origin } = house.config.origin;

    const mail = await house.mailTo(moved, subjects.confirm);
    const code = codeIn(mail);

    const lines = (mail?.text ?? "").split("\n");
    expect(lines).toContain(`${origin}/verify#${code}`);
    expect(lines).toContain(code);
    const command = lines.find((line) => line.startsWith("curl ")) ?? "";
    expect(shellWords(command)).toEqual([
      "curl",
      "-X",
      "POST",
      `${origin}/api/me/email_verification/confirm/${code}`,
    ]);
    expect(mail?.raw).not.toContain(person.email);
    const notice = await house.mailTo(person.email, subjects.asked);
    expect(notice?.raw).not.toContain(moved);
    expect(notice?.raw).not.toContain(code);
    expect(notice?.text).toContain(`${origin}/forgot`);
  });

  test("takes it by password too", async () => {
    const { email, password } = await house.person();
    const moved = unused();

    const reply = await house.send("POST", "/api/me/email_change/request", {
      basic: [email, password],
      json: { email: moved, current_password: password },
    });

    expect(reply.status).toBe(200);
    expect(await subjectsTo(moved)).toEqual([subjects.confirm]);
  });

  const refused: readonly (readonly [string, Readonly<Record<string, unknown>>, object])[] = [
    ["no address", { email: undefined }, { field: "email", rule: "required" }],
    ["what is no address", { email: "nobody" }, { field: "email", rule: "format" }],
    ["an address of the wrong type", { email: 7 }, { field: "email", rule: "type" }],
    ["no password", { current_password: undefined }, { field: "current_password", rule: "required" }],
    ["a password of the wrong type", { current_password: 7 }, { field: "current_password", rule: "type" }],
    [
      "a wrong password",
      { current_password: "not the password" },
      { field: "current_password", rule: "wrong", message: "Current password is not valid" },
    ],
    ["a field that nobody knows", { verified: true }, { field: "verified", rule: "unknown" }],
  ];

  test.each(refused)(
    "refuses %s by name: nothing is pending, and nothing mailed",
    async (_, change, issue) => {
      const person = await house.person();
      const moved = unused();
      const before = (await house.mails()).length;

      const reply = await house.send("POST", "/api/me/email_change/request", {
        session: person.session,
        json: { email: moved, current_password: person.password, ...change },
        headers: problem,
      });

      expect(reply.status).toBe(400);
      expect(reply.json()).toMatchObject({ code: "input_invalid", errors: [issue] });
      expect(await account(person)).toMatchObject({ email: person.email, pending_email: null });
      expect(await house.mails()).toHaveLength(before);
      expect(await eventsOf(person)).not.toContain("email_change_requested");
    },
  );

  test("refuses the address that the account has, in whatever case", async () => {
    const person = await house.person();

    for (const email of [person.email, person.email.toUpperCase()]) {
      const reply = await request(person, email);
      expect(reply.json()).toMatchObject({
        code: "input_invalid",
        errors: [
          { field: "email", rule: "same", message: "email is the address that the account has already" },
        ],
      });
    }
    expect(await subjectsTo(person.email)).toEqual([subjects.verify]);
  });

  test("refuses an address that is taken, as sign-up does, and counts with the sign-ups", async () => {
    const own = await startHouse({ LATCHKEY_SIGN_UPS: "4" });
    const [person, owner] = [await own.person(), await own.person()];
    const before = (await own.mails()).length;

    const taken = [
      await request(person, owner.email, own),
      await request(person, owner.email.toUpperCase(), own),
    ];
    const late = await request(person, unused(), own);

    for (const reply of taken) {
      expect([reply.status, reply.json()]).toMatchObject([
        400,
        { errors: [{ field: "email", rule: "taken", message: "user with this email already exists" }] },
      ]);
    }
    expect([late.status, late.json()]).toMatchObject([429, { code: "sign_up_throttled" }]);
    expect(late.headers["retry-after"]).toBe("3600");
    expect(await own.mails()).toHaveLength(before);
    expect(await account(person, own)).toMatchObject({ pending_email: null });
  });

  test("mails nobody more often than an hour allows", async () => {
    const own = await startHouse({ ...roomy, LATCHKEY_MAILS: "2" });
    const person = await own.person();
    const moved = unused();

    const replies = [];
    for (let time = 0; time < 4; time += 1) replies.push(await request(person, moved, own));

    expect(replies.map(({ status }) => status)).toEqual([200, 200, 429, 429]);
    expect(replies.at(-1)?.json()).toMatchObject({ code: "mail_throttled" });
    expect(await subjectsTo(moved, own)).toHaveLength(2);
    // Nobody has proved to read the old address: it gets no more of them either.
    expect((await subjectsTo(person.email, own)).filter((one) => one === subjects.asked)).toHaveLength(2);
  });
});

describe("POST /api/me/email_verification/confirm/{code}", () => {
  test("moves the account to the address that the code was mailed to, verified, and tells the old one", async () => {
    const person = await house.person();
    const keys = await keysOf(person);
    const moved = "Ada.Moved@Example.com";
    await request(person, moved);
    expect(await statuses(house, allChannels, keys)).toEqual(all(allChannels, 200));

    const reply = await confirm(await codeFor("Ada.Moved@example.com"));

    expect([reply.status, reply.json(), reply.cookies]).toEqual([
      200,
      { success: true, email: "Ada.Moved@example.com", token_replaced: false },
      [],
    ]);
    expect(await account(person)).toMatchObject({
      email: "Ada.Moved@example.com",
      email_verified: true,
      pending_email: null,
    });
    expect(await statuses(house, passwordChannels, keys)).toEqual(all(passwordChannels, 403));
    expect(await statuses(house, allChannels, { ...keys, email: "ada.moved@example.com" })).toEqual(
      all(allChannels, 200),
    );
    expect(await subjectsTo(person.email)).toContain(subjects.changed);
    expect(await subjectsTo("Ada.Moved@example.com")).toEqual([subjects.confirm]);
    const events = await eventsOf(person);
    expect(events.filter((event) => event.startsWith("email_"))).toEqual([
      "email_changed",
      "email_change_requested",
    ]);
    expect((await house.send("GET", "/api/v9/me", { session: person.session })).json()).toMatchObject({
      email: "Ada.Moved@example.com",
    });
  });

  test("frees the old address", async () => {
    const person = await house.person();
    const moved = unused();
    await request(person, moved);
    await confirm(await codeFor(moved));

    expect(await house.person(person.email)).toMatchObject({ email: person.email });
  });

  test("does it once, and for a day", async () => {
    const [early, late] = [await house.person(), await house.person()];
    const [first, second] = [unused(), unused()];
    await request(early, first);
    await request(late, second);
    const codes = [await codeFor(first), await codeFor(second)] as const;

    house.clock.advance(day - 1);
    expect((await confirm(codes[0])).status).toBe(200);
    house.clock.advance(1);
    expect(await account(late)).toMatchObject({ pending_email: null });
    for (const code of codes) expect((await confirm(code)).json()).toMatchObject({ code: "code_refused" });
    expect(await account(late)).toMatchObject({ email: late.email });
  });

  test("of several requests the newest counts", async () => {
    const person = await house.person();
    const [first, second] = [unused(), unused()];
    await request(person, first);
    const older = await codeFor(first);
    await request(person, second);

    expect(await account(person)).toMatchObject({ pending_email: second });
    expect((await confirm(older)).status).toBe(400);
    expect((await confirm(await codeFor(second))).json()).toEqual({
      success: true,
      email: second,
      token_replaced: false,
    });
  });

  test("still verifies the address that the account has, while another one is pending", async () => {
    const person = await house.person();
    const code = codeIn(await house.mailTo(person.email, subjects.verify));
    const moved = unused();
    await request(person, moved);

    const path = `/api/me/email_verification/confirm/${code}`;
    const reply = await house.send("POST", path, { session: person.session });
    expect(reply.json()).toEqual({ success: true, email: person.email, token_replaced: false });
    expect(await account(person)).toMatchObject({
      email: person.email,
      email_verified: true,
      pending_email: moved,
    });
  });

  test("refuses an address that somebody took meanwhile, and the code is good when it is free again", async () => {
    const person = await house.person();
    const moved = unused();
    await request(person, moved);
    const code = await codeFor(moved);
    // A pending address reserves nothing.
    const faster = await house.person(moved);

    const refused = await confirm(code);

    expect([refused.status, refused.cookies]).toEqual([400, []]);
    expect(refused.json()).toMatchObject({
      code: "input_invalid",
      errors: [{ field: "email", rule: "taken", message: "user with this email already exists" }],
    });
    expect(await account(person)).toMatchObject({ email: person.email, pending_email: moved });
    expect(await account(faster)).toMatchObject({ email: moved, email_verified: false });
    expect(await subjectsTo(person.email)).not.toContain(subjects.changed);

    const json = { email: unused(), current_password: faster.password };
    expect((await house.send("PUT", "/api/v9/me", { session: faster.session, json })).status).toBe(200);
    expect((await confirm(code)).json()).toEqual({ success: true, email: moved, token_replaced: false });
  });
});

describe("DELETE /api/me/email_change", () => {
  test("drops what is pending, and does nothing where nothing is", async () => {
    const person = await house.person();
    const moved = unused();
    await request(person, moved);
    const code = await codeFor(moved);
    const mails = (await house.mails()).length;

    for (let time = 0; time < 3; time += 1) {
      const reply = await drop(person);
      expect([reply.status, reply.json()]).toEqual([200, { success: true }]);
    }

    expect(await account(person)).toMatchObject({ email: person.email, pending_email: null });
    expect((await confirm(code)).status).toBe(400);
    expect(await house.mails()).toHaveLength(mails);
    expect(await eventsOf(person)).toEqual(["email_change_dropped", "email_change_requested", "sign_up"]);
  });

  test("leaves the code that verifies the address alone", async () => {
    const person = await house.person();
    const code = codeIn(await house.mailTo(person.email, subjects.verify));
    await drop(person);

    expect((await confirm(code)).status).toBe(200);
  });
});

describe("PUT /api/v9/me with a new address", () => {
  test("drops a change that was pending: it moves the account at once", async () => {
    const person = await house.person();
    const [pending, moved] = [unused(), unused()];
    await request(person, pending);
    const code = await codeFor(pending);

    const json = { email: moved, current_password: person.password };
    await house.send("PUT", "/api/v9/me", { session: person.session, json });

    expect(await account(person)).toMatchObject({ email: moved, pending_email: null });
    expect((await confirm(code)).status).toBe(400);
  });
});
