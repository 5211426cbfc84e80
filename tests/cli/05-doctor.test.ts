import { once } from "node:events";
import { chmod, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server as Listener } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, inject, onTestFinished, test } from "vitest";
import { smtpAnswer, startMailServer } from "../../src/kernel/mail/testing/mail-server.ts";
import { leavePlaces, newPlace, type Ended, type Place } from "../support/command.ts";
import { freePort } from "../support/free-port.ts";

afterEach(leavePlaces);

const onPostgres = inject("store").kind === "postgres";

/** A place where a store has been made and used. */
const usedPlace = async (settings: Readonly<Record<string, string>> = {}): Promise<Place> => {
  const place = await newPlace(settings);
  const { code, err } = await place.latchkey(["account", "create", "ada@example.com"]);
  expect({ code, err }).toMatchObject({ code: 0 });
  return place;
};

type Finding = {
  readonly name: string;
  readonly state: string;
  readonly message: string;
  readonly remedy?: string;
};

const findingsOf = (ended: Ended): readonly Finding[] => JSON.parse(ended.out) as readonly Finding[];

/** What the doctor finds, by name; the last one of a name. */
const examine = async (place: Place, settings: Readonly<Record<string, string>> = {}) => {
  const ended = await place.latchkey(["doctor", "--json"], { settings });
  const findings = findingsOf(ended);
  for (const { state, message, remedy } of findings) {
    expect(message).toMatch(/[.?]$/);
    expect(remedy === undefined).toBe(state === "ok");
  }
  expect(ended.code).toBe(findings.some(({ state }) => state === "fail") ? 1 : 0);
  return {
    code: ended.code,
    all: findings,
    of: (name: string): Finding => {
      const found = findings.findLast((finding) => finding.name === name);
      if (!found) throw new Error(`The doctor says nothing of "${name}": ${ended.out}`);
      return found;
    },
  };
};

const listening = async (listener: Listener): Promise<number> => {
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  onTestFinished(() => void listener.close());
  const address = listener.address();
  return typeof address === "object" && address ? address.port : 0;
};

describe("latchkey doctor", () => {
  test("finds nothing wrong with a server that runs, and says so line by line", async () => {
    const place = await usedPlace();
    const server = await place.serve();
    await server.send("GET", "/.well-known/jwks.json");

    const { code, out, err } = await place.latchkey(["doctor"]);

    expect(err).toBe("All is well.\n");
    expect(code).toBe(0);
    const names = out
      .trimEnd()
      .split("\n")
      .map((line) => /^ok {4}([a-z ]+): \S.*\.$/.exec(line)?.[1]);
    expect(names).toEqual([
      ...["config", "folder", "store", "migrations"],
      ...(onPostgres ? [] : ["integrity"]),
      ...["root keys", "signing key", "queue", "mail", "clock", "origin", "server"],
    ]);
    expect(out).toContain("One of this store is running");
  });

  test("of a place where nothing was started yet makes nothing", async () => {
    const place = await newPlace();
    const { code, of } = await examine(place);

    expect(code).toBe(0);
    if (onPostgres)
      expect(of("migrations")).toMatchObject({ state: "warn", message: "The database is empty." });
    else
      expect(of("store")).toMatchObject({
        state: "warn",
        message: expect.stringMatching(/^There is no database at /),
      });
    expect(of("server").message).toMatch(/^None is running on /);
    expect(await readdir(place.folder)).toEqual([]);
  });

  test("names every wrong setting, and goes on with what does not depend on them", async () => {
    const place = await usedPlace();
    const { all, of, code } = await examine(place, {
      LATCHKEY_PROT: "80",
      LATCHKEY_SMTP_URL: "mail.example.com",
      LATCHKEY_HOST: "127.0.0.1",
      LATCHKEY_QUOTA: "-1",
      LATCHKEY_TRUSTED_PROXIES: "0.0.0.0/0",
    });

    expect(code).toBe(1);
    const config = all.filter(({ name }) => name === "config");
    expect(config.map(({ state }) => state)).toEqual(["fail", "fail", "fail", "fail"]);
    expect(config.map(({ message }) => message.split(" ", 1)[0])).toEqual([
      "LATCHKEY_PROT",
      "LATCHKEY_SMTP_URL",
      "LATCHKEY_QUOTA",
      "Trusted",
    ]);
    expect(of("mail")).toMatchObject({
      state: "warn",
      message: "Not checked, because LATCHKEY_SMTP_URL is wrong.",
    });
    expect(of("store").state).toBe("ok");
    expect(of("root keys").state).toBe("ok");
  });

  test("reports a store that is down, and goes on", async () => {
    const place = await usedPlace();
    const settings: Record<string, string> = {};
    if (onPostgres)
      settings["LATCHKEY_DATABASE_URL"] = `postgres://u:hunter2@127.0.0.1:${await freePort()}/x`;
    else await writeFile(join(place.folder, "latchkey.db"), "this is no database, whatever its name says");
    const { all, of, code } = await examine(place, settings);

    expect(code).toBe(1);
    expect(of("store")).toMatchObject({ state: "fail" });
    expect(of("store").message).toMatch(onPostgres ? /ECONNREFUSED/ : /not a database/);
    for (const name of ["config", "folder", "mail", "clock", "origin", "server"])
      expect(of(name).state).toBe("ok");
    expect(of("root keys").state).toBe("warn");
    expect(JSON.stringify(all)).not.toContain("hunter2");
  });

  const harm = onPostgres
    ? {
        what: "a database that may only be read",
        told: /read-only/,
        do: async (place: Place): Promise<Readonly<Record<string, string>>> => {
          const url = new URL(place.settings["LATCHKEY_DATABASE_URL"] ?? "");
          url.searchParams.set("options", "-c default_transaction_read_only=on");
          return { LATCHKEY_DATABASE_URL: url.href };
        },
      }
    : {
        what: "a damaged database file",
        told: /damaged|malformed/,
        do: async (place: Place): Promise<Readonly<Record<string, string>>> => {
          const path = join(place.folder, "latchkey.db");
          const bytes = await readFile(path);
          // Behind the first pages, which are needed to open it at all.
          bytes.fill(0x55, 4096 * 3, 4096 * 20);
          await writeFile(path, bytes);
          return {};
        },
      };

  test(`reports ${harm.what}`, async () => {
    const place = await usedPlace();
    const { all, code } = await examine(place, await harm.do(place));

    expect(code).toBe(1);
    expect(all.filter(({ state }) => state === "fail")).toEqual([
      expect.objectContaining({ message: expect.stringMatching(harm.told) }),
    ]);
  });

  test("tells which migrations are missing", async () => {
    const place = await usedPlace();
    await place.withStore(({ query }) =>
      query
        .withTables<{ kysely_migration: { name: string } }>()
        .deleteFrom("kysely_migration")
        .where("name", "=", "0003_track")
        .execute(),
    );
    const { of, code } = await examine(place);

    expect(code).toBe(0);
    expect(of("migrations")).toMatchObject({ state: "warn", message: "Not applied yet: 0003_track." });
  });
});

describe("keys", () => {
  test("a root key that the store needs and does not get is a failure, and so is another one under its id", async () => {
    const place = await usedPlace();
    const path = join(place.folder, "root.keys");
    const [, id = ""] = /^([^#:]+):/m.exec(await readFile(path, "utf8")) ?? [];
    await rm(path);
    const other = `${id}:${Buffer.alloc(32, 9).toString("base64")}`;

    const missing = await examine(place);
    expect(missing.of("root keys")).toMatchObject({
      state: "fail",
      message: `The store needs root key ${id}, which ${path} does not have.`,
    });
    const wrong = await examine(place, { LATCHKEY_ROOT_KEYS: other });
    expect(wrong.of("root keys").message).toMatch(/ is not the one the store was sealed under\.$/);
    expect(JSON.stringify(wrong.all)).not.toContain(other.split(":")[1]);
    expect(await readdir(place.folder)).not.toContain("root.keys");
  });

  test("a root key file that others may read is a failure", async () => {
    const place = await usedPlace();
    await chmod(join(place.folder, "root.keys"), 0o644);

    expect((await examine(place)).of("root keys")).toMatchObject({
      state: "fail",
      message: expect.stringMatching(/can be read by other users .*Run: chmod 600/),
    });
  });

  test("a signing key that does not open is a failure with a way out", async () => {
    const place = await usedPlace();
    const kid = (await place.latchkey(["keys", "rotate", "--signing"])).out.trim();
    expect((await examine(place)).of("signing key").message).toMatch(new RegExp(`^${kid} opens; `));
    await place.withStore(({ query }) =>
      query
        .withTables<{ signing_keys: { sealed_private_key: string } }>()
        .updateTable("signing_keys")
        .set({ sealed_private_key: "v1:x:y" })
        .execute(),
    );

    const { of } = await examine(place);
    expect(of("signing key")).toMatchObject({
      state: "fail",
      remedy: expect.stringContaining(`keys revoke ${kid}`),
    });
    expect(await place.latchkey(["keys", "revoke", kid])).toMatchObject({ code: 0 });
    expect((await examine(place)).of("signing key").state).toBe("ok");
  });
});

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
