import { sql } from "kysely";
import { once } from "node:events";
import { chmod, readdir, rm } from "node:fs/promises";
import { createServer as createHttpServer, request as httpRequest } from "node:http";
import { createServer, type Server as Listener } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, inject, onTestFinished, test } from "vitest";
import { smtpAnswer, startMailServer } from "../../src/kernel/mail/testing/mail-server.ts";
import { leavePlaces, newPlace } from "../support/command.ts";
import { examine, usedPlace } from "../support/doctor.ts";
import { freePort } from "../support/free-port.ts";

afterEach(leavePlaces);

const listening = async (listener: Listener): Promise<number> => {
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  onTestFinished(() => void listener.close());
  const address = listener.address();
  return typeof address === "object" && address ? address.port : 0;
};

describe("mail", () => {
  test("signs in at the mail server, and sends nothing", async () => {
    const place = await usedPlace();
    const met: string[] = [];
    const server = await startMailServer({
      onAuth: ({ username, password }, _session, done) => {
        met.push(`${username} ${password}`);
        if (password === "r:ght") done(null, { user: username });
        else done(smtpAnswer(535, `no entry for ${username} with ${password}`));
      },
      authOptional: false,
      allowInsecureAuth: true,
    });
    const right = await examine(place, { LATCHKEY_SMTP_URL: `smtp://me:r%3Aght@127.0.0.1:${server.port}` });
    expect(right.of("mail")).toEqual({
      name: "mail",
      state: "ok",
      message: `The mail server 127.0.0.1:${server.port} takes our user and password; nothing was sent.`,
    });
    expect(met).toEqual(["me r:ght"]);

    const wrong = await examine(place, { LATCHKEY_SMTP_URL: `smtp://me:wr%3Ang@127.0.0.1:${server.port}` });
    expect(wrong.of("mail")).toMatchObject({
      state: "fail",
      remedy: expect.stringMatching(/^Correct user and password/),
    });
    expect(JSON.stringify(wrong.all)).not.toMatch(/wr:ng|wr%3Ang/);
    expect(server.taken).toEqual([]);
  });

  test("tells of a mail server that is not there, or is none", async () => {
    const place = await usedPlace();
    const gone = await examine(place, { LATCHKEY_SMTP_URL: `smtp://127.0.0.1:${await freePort()}` });
    expect(gone.of("mail")).toMatchObject({ state: "fail", message: expect.stringMatching(/ECONNREFUSED/) });

    const port = await listening(createServer((socket) => socket.end("HTTP/1.1 400 no\r\n\r\n")));
    const none = await examine(place, { LATCHKEY_SMTP_URL: `smtp://127.0.0.1:${port}` });
    expect(none.of("mail").state).toBe("fail");
  });

  test("warns of an outbox that nobody reads, and of mails that do not get away", async () => {
    const place = await usedPlace({ LATCHKEY_ORIGIN: "https://id.example.com", LATCHKEY_MAIL: "outbox" });
    expect((await examine(place)).of("mail")).toMatchObject({
      state: "warn",
      message: expect.stringMatching(/reach nobody\.$/),
    });

    await place.latchkey(["account", "close", "ada@example.com"]);
    expect((await examine(place)).of("queue")).toMatchObject({
      state: "ok",
      message: "1 mail waits for the server to send it.",
    });
    const set = (change: { created_at?: number; attempts?: number }) =>
      place.withStore(({ query }) => query.updateTable("mail_queue").set(change).execute());
    await set({ created_at: Date.now() - 3_600_000 });
    expect((await examine(place)).of("queue")).toMatchObject({
      state: "warn",
      remedy: expect.stringMatching(/^Start the server/),
    });
    await set({ attempts: 3 });
    expect((await examine(place)).of("queue").message).toMatch(
      /^1 mail waits since .*; 1 could not be delivered so far\.$/,
    );
  });
});

test("a data folder that others may write is told of, and a lost database is not made anew", async () => {
  const place = await usedPlace();
  for (const mode of [0o770, 0o702, 0o777]) {
    await chmod(place.folder, mode);
    expect((await examine(place)).of("folder")).toMatchObject({
      state: "fail",
      remedy: `Run: chmod go-w '${place.folder}'`,
    });
  }
  await chmod(place.folder, 0o750);
  expect((await examine(place)).of("folder").state).toBe("ok");
  if (inject("store").kind === "postgres") return;

  for (const name of await readdir(place.folder)) {
    if (name.startsWith("latchkey.db")) await rm(join(place.folder, name));
  }
  for (const command of ["serve", "migrate"]) {
    const refused = await place.latchkeyProcess([command]);
    expect(refused).toMatchObject({ code: 1, out: "" });
    expect(refused.err).toMatch(
      /root\.keys, but not the database that belongs to it, .*To begin with an empty one, /,
    );
  }
  expect((await readdir(place.folder)).filter((name) => name.includes(".db"))).toEqual([]);
  await rm(join(place.folder, "root.keys"));
  expect(await place.latchkey(["migrate"])).toMatchObject({ code: 0 });
});

describe("webhooks", () => {
  test("that wait, fail, or were given up are told of", async () => {
    const place = await usedPlace();
    expect((await examine(place)).of("webhooks")).toMatchObject({
      state: "ok",
      message: "No webhook waits.",
    });

    const now = Date.now();
    await place.withStore(({ query }) =>
      sql`insert into webhook_deliveries
        (id, environment_id, event, url, attempts, due_at, leased_until, state, created_at)
        values ('one', 1, 'connection.created', 'https://app.example.com', 0, ${now}, 0, 'pending', ${now})`.execute(
        query,
      ),
    );
    expect((await examine(place)).of("webhooks")).toMatchObject({
      state: "ok",
      message: "1 webhook waits for the server to send.",
    });
    const set = (change: ReturnType<typeof sql>) =>
      place.withStore(({ query }) => sql`update webhook_deliveries set ${change}`.execute(query));
    await set(sql`created_at = ${now - 3_600_000}`);
    expect((await examine(place)).of("webhooks")).toMatchObject({
      state: "warn",
      remedy: expect.stringMatching(/^Start the server/),
    });
    await set(sql`attempts = 3`);
    expect((await examine(place)).of("webhooks").message).toMatch(
      /^1 webhook waits since .*; 1 could not be delivered so far\.$/,
    );
    await set(sql`state = 'failed', ended_at = ${now - 1000}`);
    expect((await examine(place)).of("webhooks")).toMatchObject({
      state: "warn",
      message: "1 webhook was given up since yesterday.",
    });
    await set(sql`ended_at = ${now - 2 * 86_400_000}`);
    expect((await examine(place)).of("webhooks").state).toBe("ok");
  });
});

describe("origin and server", () => {
  test("notes an origin that leads elsewhere, and a proxy that is not trusted", async () => {
    const place = await usedPlace();
    const elsewhere = await examine(place, { LATCHKEY_ORIGIN: "http://localhost:8080" });
    expect(elsewhere.of("origin")).toMatchObject({
      state: "warn",
      message: expect.stringMatching(
        /^LATCHKEY_ORIGIN is http:\/\/localhost:8080, but the server listens on 127\.0\.0\.1:/,
      ),
    });
    const behind = { LATCHKEY_ORIGIN: "https://id.example.com", LATCHKEY_MAIL: "outbox" };
    expect((await examine(place, behind)).of("origin")).toMatchObject({
      state: "warn",
      remedy: expect.stringMatching(/LATCHKEY_TRUSTED_PROXIES/),
    });
    const trusted = await examine(place, { ...behind, LATCHKEY_TRUSTED_PROXIES: "127.0.0.1" });
    expect(trusted.of("origin").state).toBe("ok");
    const plain = await examine(place, { LATCHKEY_ORIGIN: "http://id.example.com", LATCHKEY_MAIL: "outbox" });
    expect(plain.of("config")).toMatchObject({
      state: "fail",
      message: expect.stringMatching(/must be https/),
    });
  });

  test("goes the way that people go, and tells of a proxy that passes on another host", async () => {
    const seen = { host: "" };
    const proxy = createHttpServer((request, response) => {
      const { method, url: path, headers } = request;
      const host = seen.host === "" ? headers.host : seen.host;
      const to = { port: Number(place.settings["LATCHKEY_PORT"]), host: "127.0.0.1", method, path };
      const passed = httpRequest({ ...to, headers: { ...headers, host } }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      passed.end();
    });
    const front = await listening(proxy);
    const place = await usedPlace({ LATCHKEY_ORIGIN: `http://localhost:${front}` });
    expect((await examine(place)).all.map(({ name }) => name)).not.toContain("way in");
    await place.serve();
    expect((await examine(place)).of("way in")).toMatchObject({ state: "ok" });

    seen.host = `127.0.0.1:${place.settings["LATCHKEY_PORT"]}`;
    expect((await examine(place)).of("way in")).toMatchObject({
      state: "fail",
      message: expect.stringContaining(` as calls of ${seen.host}, `),
      remedy: expect.stringContaining("Host header"),
    });
    const gone = { LATCHKEY_ORIGIN: `http://localhost:${await freePort()}` };
    expect((await examine(place, gone)).of("way in").state).toBe("warn");
  });

  test("fails when another program has the port, or a server of another store", async () => {
    const place = await usedPlace();
    const port = await listening(createServer((socket) => socket.end("220 hello\r\n")));
    const stranger = await examine(place, { LATCHKEY_PORT: String(port) });
    expect(stranger.of("server")).toMatchObject({
      state: "fail",
      remedy: expect.stringMatching(/LATCHKEY_PORT/),
    });

    const other = await newPlace();
    await other.serve();
    const twin = await examine(place, { LATCHKEY_PORT: other.settings["LATCHKEY_PORT"] ?? "" });
    expect(twin.of("server").message).toMatch(/ works on another store than this command\.$/);
  });
});

test("a clock that is behind the store's newest event is noticed", async () => {
  const place = await usedPlace();
  expect((await examine(place)).of("clock").state).toBe("ok");
  await place.withStore(({ query }) =>
    query
      .updateTable("audit_events")
      .set({ at: Date.now() + 86_400_000 })
      .execute(),
  );

  expect((await examine(place)).of("clock")).toMatchObject({
    state: "warn",
    message: expect.stringMatching(/but the store tells of something that happened at /),
  });
});
