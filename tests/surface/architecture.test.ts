import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { breachesOf } from "./house-law.ts";
import { readSources } from "./sources.ts";

/** In two parts, or this page would break the law that it tests. */
const home = ["", "home"].join("/");

const lines = (count: number): string => "const a = 1;\n".repeat(count);

describe("the house", () => {
  test("keeps its own law", async () => {
    const sources = await readSources();

    expect(sources.map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        "src/main.ts",
        "src/accounts/store/accounts.ts",
        "migrations/index.ts",
        "README.md",
      ]),
    );
    expect(breachesOf(sources)).toEqual([]);
  });

  test("has doors at the front of rooms only", async () => {
    const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
    const { imports } = z.object({ imports: z.record(z.string(), z.string()) }).parse(JSON.parse(text));

    const ways = Object.keys(imports).filter((name) => name !== "#kernel/*" && name !== "#app/*");
    for (const name of ways) expect(imports[name]).toMatch(/^\.\/(src\/[a-z]+|migrations)\/index\.ts$/);
  });
});

describe("a breach is told:", () => {
  test.each([
    ["src/track/x.ts", 'import { signUp } from "../accounts/sign-up.ts";', "track may not know accounts"],
    ["src/track/x.ts", 'import { createAccounts } from "#accounts";', "track may not know accounts"],
    ["src/accounts/x.ts", 'import type { House } from "#app/compose.ts";', "accounts may not know app"],
    ["src/kernel/x.ts", 'export { provision } from "#track";', "kernel may not know track"],
    [
      "src/kernel/db/x.ts",
      'import { migrations } from "../../../migrations/index.ts";',
      "kernel may not know migrations",
    ],
    ["src/app/x.ts", 'import { signUp } from "#accounts/sign-up.ts";', "no door"],
    ["src/app/x.ts", 'import { signUp } from "../accounts/sign-up.ts";', "a relative path leaves its room"],
    ["src/app/x.ts", 'const x = await import("../kernel/ids.ts");', "a relative path leaves its room"],
    ["src/accounts/x.ts", "const x = await import(name);", "only shows at run time"],
    ["src/accounts/x.ts", 'const x = require("#track");', "accounts may not know track"],
    ["src/main.ts", 'import { createAccounts } from "#accounts";', "main may not know accounts"],

    ["src/accounts/sign-in.ts", 'import { sql } from "kysely";', "asks the database"],
    ["src/accounts/sign-in.ts", 'await query.selectFrom("accounts").execute();', "asks the database"],
    ["src/app/compose.ts", "await sql`delete from accounts`.execute(db);", "asks the database"],
    ["src/track/x.ts", 'db\n  .deleteFrom("workspaces")', "asks the database"],
    ["src/app/store.ts", 'db.deleteFrom("workspaces")', "asks the database"],
    ["src/track/restore/x.ts", 'db.deleteFrom("workspaces")', "asks the database"],
    ["src/track/me/store.ts", 'db.deleteFrom("workspaces")', "asks the database"],

    ["src/kernel/clock.ts", "const zone = process.env.TZ;", "reads the environment"],
    ["src/kernel/clock.ts", 'const zone = process["env"].TZ;', "reads the environment"],
    ["src/kernel/clock.ts", 'import { env } from "node:process";', "reads the environment"],

    ["src/track/x.ts", 'await fetch("https://example.com");', "opens connections"],
    ["src/track/x.ts", "const { body } = await globalThis.fetch(url);", "opens connections"],
    ["src/track/x.ts", 'import { request } from "node:https";', "opens connections"],
    ["src/track/x.ts", 'import http from "node:http";', "opens connections"],
    ["src/track/x.ts", 'import * as net from "net";', "opens connections"],
    ["src/kernel/mail/x.ts", 'import { createTransport } from "nodemailer";', "opens connections"],
    ["src/kernel/db/x.ts", 'import pg from "pg";', "opens connections"],
    ["src/kernel/x.ts", 'import { Agent, type Dispatcher } from "undici";', "opens connections"],
    ["src/kernel/http/outbound.ts", 'import { Pool } from "undici";', "opens connections"],
    ["src/connect/outbound/call.ts", 'import { Pool } from "undici";', "opens connections"],

    ["src/accounts/x.ts", 'import { open } from "../kernel/crypto/envelope.ts";', "opens sealed values"],
    [
      "src/accounts/x.ts",
      'import { open as read, seal } from "../kernel/crypto/envelope.ts";',
      "opens sealed values",
    ],
    ["src/app/x.ts", 'import * as envelope from "#kernel/crypto/envelope.ts";', "opens sealed values"],
    ["src/kernel/crypto/x.ts", 'import { open } from "./envelope.ts";', "opens sealed values"],

    ["src/track/x.ts", lines(351), "351 lines"],
    ["tests/http/x.test.ts", lines(351), "351 lines"],
    ["src/accounts/utils.ts", "", "says nothing"],
    ["src/accounts/date-helpers.ts", "", "says nothing"],
    ["src/lib/dates.ts", "", "says nothing"],
    ["src/accounts/account-service.ts", "", "says nothing"],
    ["tests/support/base.test.ts", "", "says nothing"],
    ["src/track/x.ts", "export default 1;", "export without a name"],
    ["src/track/x.ts", 'export * from "./shown.ts";', "export without a name"],
    ["src/kernel/http/index.ts", "", "a door"],
    ["docs/x.md", `Look into ${home}/ada/latchkey.`, "somebody's machine"],
    ["tests/x.ts", `const folder = "${home}/ada";`, "somebody's machine"],
  ])("%s: %s", (path, text, says) => {
    const breaches = breachesOf([{ path, text }]);

    expect(breaches).toHaveLength(1);
    expect(breaches[0]).toContain(path);
    expect(breaches[0]).toContain(says);
  });

  test("files that import one another in a circle, types or not", () => {
    const breaches = breachesOf([
      { path: "src/kernel/a.ts", text: 'import { b } from "./b.ts";' },
      { path: "src/kernel/b.ts", text: 'import type { C } from "./c.ts";' },
      { path: "src/kernel/c.ts", text: 'import { a } from "./a.ts";' },
      { path: "src/kernel/d.ts", text: 'import { a } from "./a.ts";' },
    ]);

    expect(breaches).toEqual([
      "These files import one another in a circle: src/kernel/a.ts, src/kernel/b.ts, src/kernel/c.ts.",
    ]);
  });

  test("chapters that import one another in a circle, though no files do", () => {
    const breaches = breachesOf([
      { path: "src/connect/proxy/a.ts", text: 'import { b } from "../vault/b.ts";' },
      { path: "src/connect/vault/b.ts", text: "" },
      { path: "src/connect/vault/c.ts", text: 'import type { D } from "../store/d.ts";' },
      { path: "src/connect/store/d.ts", text: 'import { e } from "../proxy/e.ts";' },
      { path: "src/connect/proxy/e.ts", text: "" },
    ]);

    expect(breaches).toEqual([
      "These chapters import one another in a circle: src/connect/proxy, src/connect/store, src/connect/vault.",
    ]);
  });

  test("a folder of more than twenty files", () => {
    const named = (count: number) =>
      Array.from({ length: count }, (_, at) => ({ path: `src/track/me/x${at}.ts`, text: "" }));

    expect(breachesOf(named(20))).toEqual([]);
    expect(breachesOf(named(21))).toEqual(["src/track/me has 21 files, and 20 are the most."]);
  });
});

describe("no breach is", () => {
  test.each([
    ["src/track/x.ts", 'import { Refusal } from "../kernel/errors.ts";'],
    ["src/app/x.ts", 'import { createAccounts } from "#accounts";\nimport { hour } from "#kernel/clock.ts";'],
    ["src/main.ts", 'import { compose } from "#app/compose.ts";'],
    ["src/track/store.ts", 'import { sql } from "kysely";\nquery.selectFrom("workspaces");'],
    ["src/track/store/workspaces.ts", 'import { sql } from "kysely";\nquery.selectFrom("workspaces");'],
    ["src/accounts/x.ts", 'import type { Generated } from "kysely";'],
    ["src/kernel/config.ts", "export const load = (environment = process.env) => environment;"],
    ["src/kernel/clock.test.ts", "process.env.TZ = undefined;"],
    ["src/track/x.ts", "// Never process.env, never fetch(), never sql`…`."],
    ["src/track/x.ts", "/* import { signUp } from '#accounts' */"],
    ["src/track/x.ts", 'const text = "https://example.com"; cache.fetch("x");'],
    [
      "src/kernel/x.ts",
      'import { isIP, type Socket } from "node:net";\nimport type { Server } from "node:http";',
    ],
    ["src/kernel/outbound/pools.ts", 'import { Pool } from "undici";'],
    ["src/kernel/mail/x.ts", 'import MailComposer from "nodemailer/lib/mail-composer";'],
    ["src/kernel/mail/queue.ts", 'import { open, seal } from "../crypto/envelope.ts";'],
    ["src/accounts/x.ts", 'import { seal, type Place } from "../kernel/crypto/envelope.ts";'],
    ["src/kernel/crypto/root-keys/root-key-file.ts", 'import { open } from "node:fs/promises";'],
    ["src/track/x.ts", lines(350)],
    // The door knows its chapters, and they know the dependencies beside it.
    ["src/connect/index.ts", 'import { link } from "./linking/link-account.ts";'],
    ["src/kernel/crypto/passwords/common-passwords.txt", ""],
    ["docs/x.md", "Put it at /var/lib/latchkey, and see https://example.com/home/page."],
  ])("%s: %s", (path, text) => {
    expect(breachesOf([{ path, text }])).toEqual([]);
  });
});
