import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { clearSites, endProcess, newSite, runToEnd, startProcess, type Ended } from "../support/process.ts";
import { faultOfStart, whileStarted } from "../support/start-here.ts";

// Whatever keeps the server from starting is told in one sentence to whoever typed the command. A process shows that it
// is printed, and that the program ends, whatever was open by then: nothing, the store, or what can't be reached.

afterEach(clearSites);

/** One line with all of these words. */
const expectSentence = (sentence: string, ...words: readonly (string | RegExp)[]): void => {
  expect(sentence).toMatch(/^[^\n]{20,400}$/);
  // Neither a stack trace nor the name of an error class, which tell the reader nothing.
  expect(sentence).not.toMatch(/\bat \S+ \(|node:internal|file:\/\/|\w+Error\b|undefined|\[object/);
  for (const word of words) expect(sentence).toMatch(word);
};

/** The line is on standard error, none is on standard output, and the exit code is 1. */
const expectFault = ({ code, signal, out, err }: Ended, ...words: readonly (string | RegExp)[]): void => {
  expect([code, signal, out]).toEqual([1, null, ""]);
  expect(err).toMatch(/\n$/);
  expectSentence(err.slice(0, -1), ...words);
};

describe("the port", () => {
  test("in use by another program", async () => {
    const { settings } = await newSite();
    const other = createServer().listen(Number(settings["LATCHKEY_PORT"]), "127.0.0.1");
    onTestFinished(() => void other.close());
    await once(other, "listening");
    expectFault(await runToEnd(settings), String(settings["LATCHKEY_PORT"]), "in use", "LATCHKEY_PORT");
  });

  test("in use by ourselves: the first one goes on unharmed", async () => {
    const { settings } = await newSite();
    const running = await startProcess(settings);
    expectSentence(await faultOfStart(settings), "in use");
    expect((await running.send("GET", "/readyz")).status).toBe(200);
    expect((await endProcess(running)).code).toBe(0);
  });

  test("on an address that this machine does not have", async () => {
    const { settings } = await newSite({ LATCHKEY_HOST: "192.0.2.1" });
    expectSentence(await faultOfStart(settings), "192.0.2.1", "LATCHKEY_HOST");
  });
});

describe("the data folder", () => {
  test("is a file", async () => {
    const { settings, config } = await newSite();
    await writeFile(config.dataFolder, "not a folder");
    expectSentence(await faultOfStart(settings), config.dataFolder, "LATCHKEY_DATA");
    expect(await readFile(config.dataFolder, "utf8")).toBe("not a folder");
  });

  // The superuser may write everywhere, so the server is somebody else then.
  const nobody = 65_534;
  const strangers = process.getuid?.() === 0 ? { uid: nobody } : {};

  test("is there, and may not be written or read by this user", async () => {
    const { settings } = await newSite();
    for (const mode of [0o555, 0o000]) {
      const folder = await mkdtemp(join(tmpdir(), "latchkey-closed-"));
      onTestFinished(() => rm(folder, { recursive: true }));
      await chmod(folder, mode);
      expectFault(await runToEnd({ ...settings, LATCHKEY_DATA: folder }, strangers), folder);
    }
  });

  test("has an outbox that is a file", async () => {
    const { settings, config } = await newSite();
    await mkdir(config.dataFolder);
    await writeFile(join(config.dataFolder, "outbox"), "");
    expectSentence(await faultOfStart(settings), "outbox");
  });

  test("can be made by a user who is not the superuser, and is theirs", async () => {
    const { settings, config } = await newSite();
    if (strangers.uid !== undefined) {
      await chown(join(config.dataFolder, ".."), strangers.uid, strangers.uid);
      await chmod(join(config.dataFolder, ".."), 0o700);
    }
    const running = await startProcess(settings, strangers);
    expect((await running.send("GET", "/readyz")).status).toBe(200);
    expect((await endProcess(running)).code).toBe(0);
  });
});

describe("a setting", () => {
  const everybody = ["0.0.0.0/0", "everybody"] as const;
  const wrong: Readonly<Record<string, readonly [string, string, ...string[]]>> = {
    "a port that is no number": ["LATCHKEY_PORT", "eighty", "65535"],
    "plain http to the world": ["LATCHKEY_ORIGIN", "http://id.example.com", "https"],
    "a database of another kind": ["LATCHKEY_DATABASE_URL", "mysql://localhost/latchkey", "postgres://"],
    "an outbound origin with a path": ["LATCHKEY_OUTBOUND_ALLOW", "http://10.0.0.5/api", "without a path"],
    // Noticed late, when the store is open already.
    "a proxy range that is everybody": ["LATCHKEY_TRUSTED_PROXIES", ...everybody],
    "a root key that is too short": ["LATCHKEY_ROOT_KEYS", "one:c2VjcmV0", "32"],
  };

  test.each(Object.entries(wrong))("that is wrong: %s", async (_, [name, value, ...words]) => {
    const { settings } = await newSite();
    expectSentence(
      await faultOfStart({ ...settings, [name]: value }),
      name === "LATCHKEY_TRUSTED_PROXIES" ? /proxy|LATCHKEY_TRUSTED_PROXIES/i : name,
      ...words,
    );
  });

  test.each([
    ["early", "LATCHKEY_PORT", "eighty", "65535"],
    ["late", "LATCHKEY_TRUSTED_PROXIES", ...everybody],
  ])("that is noticed %s ends the process", async (_, name, value, word) => {
    const { settings } = await newSite();
    expectFault(await runToEnd({ ...settings, [name]: value }), word);
  });

  test("that is unknown is refused, with the one that was probably meant", async () => {
    const { settings, config } = await newSite();
    expectSentence(
      await faultOfStart({ ...settings, LATCHKEY_PROT: "80" }),
      "LATCHKEY_PROT",
      "LATCHKEY_PORT",
    );
    const other = await faultOfStart({ ...settings, LATCHKEY_SOMETHING_ELSE_ALTOGETHER: "1" });
    expect(other).not.toContain("Did you mean");
    // Whatever is wrong with the settings is told before anything is made.
    await expect(readdir(config.dataFolder)).rejects.toThrow(/ENOENT/);
  });

  test("secrets in wrong settings are not printed", async () => {
    const { settings } = await newSite();
    for (const [name, value] of [
      ["LATCHKEY_SMTP_URL", "http://latchkey:Hunter2Hunter2@mail.example.com"],
      ["LATCHKEY_ROOT_KEYS", "Hunter2Hunter2Hunter2Hunter2"],
      ["LATCHKEY_DATABASE_URL", "postgres://latchkey:Hunter2Hunter2@127.0.0.1:1/latchkey"],
    ] as const) {
      const sentence = await faultOfStart({ ...settings, [name]: value });
      expectSentence(sentence);
      expect(sentence, name).not.toContain("Hunter2");
    }
  });
});

describe("mail", () => {
  test("an origin that is not local needs a mail server, or the word that it is not wanted", async () => {
    const { settings } = await newSite({ LATCHKEY_ORIGIN: "https://id.example.com" });
    expectSentence(
      await faultOfStart(settings),
      "id.example.com",
      "LATCHKEY_SMTP_URL",
      "LATCHKEY_MAIL=outbox",
    );
    const running = await startProcess({ ...settings, LATCHKEY_MAIL: "outbox" });
    expect(running.out()).toContain("https://id.example.com");
  });
});

describe("root keys", () => {
  const started = async () => {
    const site = await newSite();
    await whileStarted(site.settings, ({ send }) =>
      send("POST", "/api/signup", {
        json: { email: "ada@example.com", password: "a quiet river at noon", tos_accepted_for: "track" },
      }),
    );
    const path = join(site.config.dataFolder, "root.keys");
    const text = await readFile(path, "utf8");
    return { ...site, path, text, id: /^([^#:]+):/m.exec(text)?.[1] ?? "" };
  };

  test("the file is gone: told which key is missing and where it goes, and no new one is made", async () => {
    const { settings, path, text, id, config } = await started();
    await rm(path);
    expectSentence(await faultOfStart(settings), id, path, "LATCHKEY_ROOT_KEYS");
    expect((await readdir(config.dataFolder)).filter((name) => name.startsWith("root.keys"))).toEqual([]);

    // Put back, everything is as before.
    await writeFile(path, text, { mode: 0o600 });
    const basic = ["ada@example.com", "a quiet river at noon"] as const;
    const me = await whileStarted(settings, ({ send }) => send("GET", "/api/v9/me", { basic }));
    expect(me.json()).toMatchObject({ email: "ada@example.com" });
  });

  test("another key under the same id", async () => {
    const { settings, path, id } = await started();
    const other = `${id}:${Buffer.alloc(32, 7).toString("base64")}`;
    await writeFile(path, `${other}\n`, { mode: 0o600 });
    expectSentence(await faultOfStart(settings), id, path);
    await rm(path);
    const given = { ...settings, LATCHKEY_ROOT_KEYS: other };
    expectSentence(await faultOfStart(given), id, "LATCHKEY_ROOT_KEYS");
  });

  test("the file is open to other users", async () => {
    const { settings, path } = await started();
    await chmod(path, 0o644);
    expectSentence(await faultOfStart(settings), path, "chmod 600");
  });

  test("the file is damaged", async () => {
    const { settings, path, text } = await started();
    await writeFile(path, text.slice(0, -10), { mode: 0o600 });
    expectSentence(await faultOfStart(settings), path);
  });
});

describe("the database", () => {
  // Nothing listens on port 1 of this machine.
  test.each(["127.0.0.1", "localhost"])("can't be reached at %s", async (host) => {
    const { settings } = await newSite();
    const url = `postgres://latchkey:secret@${host}:1/latchkey`;
    const ended = await runToEnd({ ...settings, LATCHKEY_DATABASE_URL: url });
    expectFault(ended, "LATCHKEY_DATABASE_URL", /ECONNREFUSED|refused|EADDRNOTAVAIL|reached/);
    expect(ended.err).not.toMatch(/secret|: \./);
  });

  test("does not exist, or does not let us in", async () => {
    const { settings, config } = await newSite();
    if (config.databaseUrl === undefined) {
      // On SQLite: a file that is no database, and a folder in its place.
      for (const make of [
        (path: string) => writeFile(path, "this is no database, however long one looks at it".repeat(50)),
        (path: string) => mkdir(path),
      ]) {
        await rm(config.dataFolder, { recursive: true, force: true });
        await mkdir(config.dataFolder);
        const path = join(config.dataFolder, "latchkey.db");
        await make(path);
        expectSentence(await faultOfStart(settings), path);
      }
      return;
    }
    const url = new URL(config.databaseUrl.reveal());
    url.pathname = "/there_is_no_such_database";
    expectSentence(
      await faultOfStart({ ...settings, LATCHKEY_DATABASE_URL: url.href }),
      "LATCHKEY_DATABASE_URL",
      "there_is_no_such_database",
    );
    url.password = "wrong-Hunter2";
    const refused = await faultOfStart({ ...settings, LATCHKEY_DATABASE_URL: url.href });
    expectSentence(refused, "LATCHKEY_DATABASE_URL");
    expect(refused).not.toContain("Hunter2");
  });
});
