import { readdir } from "node:fs/promises";
import { afterEach, describe, expect, test } from "vitest";
import { leavePlaces, newPlace, type Place } from "../support/command.ts";
import { examine } from "../support/doctor.ts";

afterEach(leavePlaces);

const last = "0012_track_work";
/** Released names are never changed: stores remember them. */
const names = [
  "0001_kernel",
  "0002_accounts",
  "0003_track",
  "0004_email_change",
  "0005_connect",
  "0006_own_integration",
  "0007_root_key_rotation",
  "0008_leased_work",
  "0009_recovery",
  "0010_connect_scale",
  "0011_strangers_writes",
  last,
];
const printed = names.map((name) => `${name}\n`).join("");

/** Makes the store one of another version, as its own list of migrations tells it. */
const rewriteHistory = (place: Place, how: "forget the last" | "know another"): Promise<void> =>
  place.withStore(async ({ query }) => {
    const history = query.$extendTables<{ kysely_migration: { name: string; timestamp: string } }>();
    if (how === "forget the last") {
      await history.deleteFrom("kysely_migration").where("name", "=", last).execute();
    } else {
      const timestamp = new Date().toISOString();
      await history.insertInto("kysely_migration").values({ name: "9999_future", timestamp }).execute();
    }
  });

describe("latchkey migrate", () => {
  test("brings a new store up to this version and prints what was applied, once", async () => {
    const place = await newPlace();

    expect(await place.latchkey(["migrate"])).toEqual({ code: 0, out: printed, err: "" });
    expect(await place.latchkey(["migrate"])).toEqual({
      code: 0,
      out: "",
      err: "The store is up to date; nothing was applied.\n",
    });
    expect(await place.latchkey(["migrate", "--json"])).toEqual({
      code: 0,
      out: '{"applied":[]}\n',
      err: "",
    });
  });

  test("two at once: each migration is applied by one of them", async () => {
    const place = await newPlace();
    const both = await Promise.all([place.latchkeyProcess(["migrate"]), place.latchkeyProcess(["migrate"])]);

    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(both.map(({ out }) => out).join("")).toBe(printed);
  });

  test("refuses the store of a newer version, and so does a server", async () => {
    const place = await newPlace();
    await place.latchkey(["migrate"]);
    await rewriteHistory(place, "know another");

    for (const command of ["migrate", "serve"]) {
      const refused = await place.latchkeyProcess([command]);
      expect(refused).toMatchObject({ code: 1, out: "" });
      expect(refused.err).toMatch(
        /^The store was made by a newer Latchkey \(it has 9999_future\): [^\n]+\n$/,
      );
    }
  });
});

describe("other commands", () => {
  test("take a missing store for a wrong setting, and make nothing", async () => {
    const place = await newPlace();
    const refused = await place.latchkey(["account", "lock", "ada@example.com"]);

    expect(refused).toMatchObject({ code: 1, out: "" });
    expect(refused.err).toMatch(
      /^There is no database at |^The database of LATCHKEY_DATABASE_URL is empty: /,
    );
    expect(await place.withStore((store) => store.migrationState())).toMatchObject({ applied: [] });
    expect(await readdir(place.folder)).not.toContain("root.keys");
  });

  test("and none of them makes one, but the first account may be made before the first start", async () => {
    const place = await newPlace();
    const refused = await place.latchkey(["account", "create", "first@example.com"]);
    expect(refused).toMatchObject({ code: 1, out: "" });
    expect(refused.err).toMatch(
      /^There is no database at |^The database of LATCHKEY_DATABASE_URL is empty: /,
    );
    expect(await readdir(place.folder)).not.toContain("latchkey.db");
    await place.latchkey(["migrate"]);
    const { out } = await place.latchkey(["account", "create", "first@example.com"]);
    const server = await place.serve();

    const me = await server.send("GET", "/api/v9/me", { basic: ["first@example.com", out.trim()] });
    expect(me.status).toBe(200);
  });

  test("do not migrate a store on the side, which older servers may be using", async () => {
    const place = await newPlace();
    await place.latchkey(["migrate"]);
    await place.latchkey(["account", "create", "ada@example.com"]);
    await rewriteHistory(place, "forget the last");
    const findings = await examine(place);
    expect(findings.of("migrations").state).toBe("warn");
    expect(findings.all.filter(({ state }) => state === "fail")).toEqual([]);
    const refused = await place.latchkey(["account", "lock", "ada@example.com"]);

    expect(refused).toMatchObject({ code: 1, out: "" });
    expect(refused.err).toMatch(
      new RegExp(`^The store lacks ${last}: restart the server on this version, or run "latchkey migrate"`),
    );
  });
});
