import { chmod, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, inject, test } from "vitest";
import { leavePlaces, newPlace, type Place } from "../support/command.ts";
import { examine, usedPlace } from "../support/doctor.ts";
import { freePort } from "../support/free-port.ts";

afterEach(leavePlaces);

const onPostgres = inject("store").kind === "postgres";

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
    expect(names).toEqual(
      [
        "config",
        "folder",
        "store",
        "migrations",
        "integrity",
        "root keys",
        "signing key",
        "queue",
        "webhooks",
      ]
        .concat("mail", "clock", "origin", "server")
        .filter((name) => name !== "integrity" || !onPostgres),
    );
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
        .$extendTables<{ kysely_migration: { name: string } }>()
        .deleteFrom("kysely_migration")
        .where("name", "=", "0008_leased_work")
        .execute(),
    );
    const { of, code } = await examine(place);

    expect(code).toBe(0);
    expect(of("migrations")).toMatchObject({
      state: "warn",
      message: "Not applied yet: 0008_leased_work.",
    });
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
        .$extendTables<{ signing_keys: { sealed_private_key: string } }>()
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
