import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { smtpAnswer, startMailServer, type TakenMail } from "#kernel/mail/testing/mail-server.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { codeIn, parseMail } from "../support/mails.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

const password = "a quiet river at noon";
const verify = (code: string, of = house) => of.send("POST", `/api/me/email_verification/confirm/${code}`);
const subjects = (taken: readonly TakenMail[]): readonly string[] =>
  taken.map(({ to, raw }) => `${to.join()}: ${parseMail(raw).subject}`).toSorted();

/** Each event of an account that is told by mail, once. */
const liveThrough = async (of: TestHouse, email: string): Promise<readonly string[]> => {
  const person = await of.person(email);
  await of.send("POST", "/api/me/password_reset/request", { json: { email } });
  const { session } = person;
  const change = (json: unknown) => of.send("PUT", "/api/v9/me", { session, json });
  await change({ current_password: password, password: "a loud river at noon" });
  await change({ current_password: "a loud river at noon", email: `moved.${email}` });
  const closed = await of.send("POST", "/api/me/close_account/track", { session });
  expect(closed.status).toBe(200);
  return [
    `${email}: Confirm your e-mail address`,
    `${email}: Reset your password`,
    `${email}: Your password was changed`,
    `${email}: Your e-mail address was changed`,
    `moved.${email}: Confirm your e-mail address`,
    `moved.${email}: Your account was closed`,
  ].toSorted();
};

describe("the mail that verifies an address", () => {
  test("has a code that does it, once", async () => {
    const { email } = await house.person();
    const mail = await house.mailTo(email);
    const code = codeIn(mail);
    expect(mail?.text).toContain(`${house.config.origin.origin}/verify#${code}`);

    const reply = await verify(code);

    expect([reply.status, reply.json(), reply.cookies]).toEqual([
      200,
      { success: true, email, token_replaced: true },
      [],
    ]);
    expect((await verify(code)).status).toBe(400);
  });

  test("has a code for three days", async () => {
    const [late, early] = [await house.person(), await house.person()];
    const codes = [codeIn(await house.mailTo(late.email)), codeIn(await house.mailTo(early.email))] as const;

    house.clock.advance(3 * 86_400_000 - 1);
    expect((await verify(codes[1])).status).toBe(200);
    house.clock.advance(1);
    expect((await verify(codes[0])).status).toBe(400);
  });

  test("is of no use for an address that the account no longer has", async () => {
    const { email, session } = await house.person();
    const code = codeIn(await house.mailTo(email));
    await house.send("PUT", "/api/v9/me", {
      session,
      json: { email: `new.${email}`, current_password: password },
    });

    expect((await verify(code)).status).toBe(400);
  });

  test("is not what GET does", async () => {
    const { email } = await house.person();
    const code = codeIn(await house.mailTo(email));

    expect((await house.send("GET", `/api/me/email_verification/confirm/${code}`)).status).toBe(405);
    expect((await verify(code)).status).toBe(200);
  });
});

describe("a mail in the outbox", () => {
  test("is one file, whole, in text and in HTML, from the configured sender", async () => {
    const { email } = await house.person();

    const mail = await house.mailTo(email);

    expect(mail?.raw).toMatch(/^From: Latchkey <no-reply@localhost>$/m);
    expect(mail?.raw).toMatch(/^Content-Type: multipart\/alternative;/m);
    expect(mail?.raw).toMatch(/^Message-ID: <[0-9a-f]{32}@localhost>$/m);
    expect(mail?.raw).toMatch(/^Auto-Submitted: auto-generated$/m);
    expect(mail?.html).toContain("<!doctype html>");
    const code = codeIn(mail);
    expect(mail?.html).toContain(code);
    expect(mail?.html).not.toMatch(/<(img|script|link|iframe)\b/i);
  });

  test("escapes in HTML what it repeats", async () => {
    const { email } = await house.person("a&b'c@example.com");

    const mail = await house.mailTo(email);

    expect(mail?.to).toBe("a&b'c@example.com");
    expect(mail?.html).not.toContain("a&b'c");
  });

  test("is there once for each event", async () => {
    const expected = await liveThrough(house, "eventful@example.com");

    const found = (await house.mails())
      .filter(({ to }) => to.endsWith("eventful@example.com"))
      .map(({ to, subject }) => `${to}: ${subject}`);

    expect(found.toSorted()).toEqual(expected);
  });
});

describe("with LATCHKEY_SMTP_URL", () => {
  test("a mail server gets each mail once, in text and in HTML, and no file is written", async () => {
    const server = await startMailServer();
    const sending = await startHouse({
      LATCHKEY_SMTP_URL: server.url,
      LATCHKEY_MAIL_FROM: "Keys <keys@example.com>",
    });

    const expected = await liveThrough(sending, "smtp@example.com");
    await sending.inside.courier.deliverDue();
    sending.clock.advance(3_600_000);
    await sending.inside.courier.deliverDue();

    expect(subjects(server.taken)).toEqual(expected);
    for (const { from, raw, to } of server.taken) {
      const mail = parseMail(raw);
      expect([from, mail.to]).toEqual(["keys@example.com", to.join()]);
      expect(mail.text).toContain(sending.config.origin.origin);
      expect(mail.html).toContain("<!doctype html>");
    }
    const closed = server.taken
      .map(({ raw }) => parseMail(raw))
      .find(({ subject }) => subject === "Your account was closed");
    expect(
      (
        await sending.send("POST", `/api/me/close_account/undo/${codeIn(closed)}`, {
          json: { password: "a river taken back" },
        })
      ).status,
    ).toBe(200);
    expect(sending.logs.join("\n")).not.toContain(codeIn(closed));
  });

  test("an outage loses none: they go out once the server is back, also after a restart", async () => {
    const before = await startMailServer();
    await before.stop();
    const sending = await startHouse({ LATCHKEY_SMTP_URL: before.url });
    const expected = await liveThrough(sending, "outage@example.com");
    await sending.inside.courier.deliverDue();
    const again = await sending.restart();
    await again.inside.courier.deliverDue();

    const server = await startMailServer({}, before.port);
    for (let look = 0; look < 8; look += 1) {
      again.clock.advance(60_000);
      await again.inside.courier.deliverDue();
    }

    expect(subjects(server.taken)).toEqual(expected);
  });

  test("a server that takes no mail now is asked again, and one mail arrives", async () => {
    let refusals = 2;
    const server = await startMailServer({
      onMailFrom: (_address, _session, done) => {
        refusals -= 1;
        done(refusals < 0 ? null : smtpAnswer(451, "try again later"));
      },
    });
    const sending = await startHouse({ LATCHKEY_SMTP_URL: server.url });
    await sending.person("later@example.com");

    for (let look = 0; look < 4; look += 1) {
      await sending.inside.courier.deliverDue();
      sending.clock.advance(60_000);
    }

    expect(subjects(server.taken)).toEqual(["later@example.com: Confirm your e-mail address"]);
  });

  test("no answer waits for a server that says nothing", async () => {
    const held: Socket[] = [];
    const silent = createServer((socket) => void held.push(socket.on("error", () => undefined)));
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    onTestFinished(() => {
      for (const socket of held) socket.destroy();
      silent.close();
    });
    const address = silent.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const sending = await startHouse({ LATCHKEY_SMTP_URL: `smtp://127.0.0.1:${port}` });

    const expected = await liveThrough(sending, "silent@example.com");

    // All of them are answered, and not one has been delivered.
    expect(expected).toHaveLength(6);
    await expect.poll(() => held.length).toBeGreaterThan(0);
  });

  test("nothing is mailed for what did not happen", async () => {
    const server = await startMailServer();
    const sending = await startHouse({ LATCHKEY_SMTP_URL: server.url });
    const { email, session } = await sending.person("quiet@example.com");
    const post = (path: string, json: unknown) => sending.send("POST", path, { json });

    await post("/api/signup", { email, password, tos_accepted_for: "track" });
    await post("/api/sessions", { email, password });
    await post("/api/sessions", { email, password: "wrong" });
    await post("/api/me/password_reset/request", { email: "nobody@example.com" });
    await post("/api/me/password_reset/confirm/0123456789abcdefghjkmnpqrs", { password });
    await sending.send("PUT", "/api/v9/me", {
      session,
      json: { password: "a loud river", current_password: "wrong" },
    });
    await sending.send("PUT", "/api/v9/me", { session, json: { fullname: "Somebody" } });
    await sending.send("DELETE", "/api/sessions", { session });
    await sending.inside.courier.deliverDue();

    expect(subjects(server.taken)).toEqual(["quiet@example.com: Confirm your e-mail address"]);
  });
});
