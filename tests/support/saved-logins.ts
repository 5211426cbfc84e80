// A browser profile with a password manager in it: one login is saved for a server, and what it offers to save is told.

import { createCipheriv, pbkdf2Sync } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { chromium, type BrowserContext, type Page } from "playwright-core";
import * as z from "zod";
import { flags } from "./browser.ts";
import { findWholeChromium } from "./chromium.ts";

export type Login = { readonly email: string; readonly password: string };

type Kept = { readonly saved: readonly string[]; readonly offered: readonly string[] };

export type Profile = {
  readonly context: BrowserContext;
  /** What the browser writes about the forms that it takes for logins, and about what it asks people. */
  log(): Promise<string>;
  /** Ends the browser, and forgets it. @returns whose logins it has saved, and for whom it offered to */
  close(): Promise<Kept>;
};

/** As Chromium seals passwords where the machine has no place for keys (its OSCrypt, version 10). */
const sealed = (password: string): Buffer => {
  const key = pbkdf2Sync("peanuts", "saltysalt", 1, 16, "sha1");
  const cipher = createCipheriv("aes-128-cbc", key, Buffer.alloc(16, " "));
  return Buffer.concat([Buffer.from("v10"), cipher.update(password), cipher.final()]);
};

/** Microseconds since 1601, some day of 2025. */
const someDay = 13_400_000_000_000_000;

/** Columns have come and gone over the years: those that must have a value get one. */
const insertLogin = (file: string, origin: string, { email, password }: Login): void => {
  const database = new Database(file);
  const row: Readonly<Record<string, string | number | Buffer>> = {
    origin_url: `${origin}/`,
    action_url: "",
    username_element: "email",
    username_value: email,
    password_element: "password",
    password_value: sealed(password),
    submit_element: "",
    signon_realm: `${origin}/`,
    date_created: someDay,
    blacklisted_by_user: 0,
    scheme: 0,
    password_type: 0,
    times_used: 1,
    date_last_used: someDay,
    date_password_modified: someDay,
  };
  const names = Object.keys(row);
  database
    .prepare(`insert into logins (${names.join(",")}) values (${names.map(() => "?").join(",")})`)
    .run(Object.values(row));
  database.close();
};

const namesIn = (file: string, table: "logins" | "stats"): readonly string[] => {
  const database = new Database(file, { readonly: true });
  const rows: unknown = database.prepare(`select username_value from ${table}`).all();
  database.close();
  return z
    .array(z.object({ username_value: z.string() }))
    .parse(rows)
    .map((row) => row.username_value);
};

const launch = async (folder: string, baseURL?: string): Promise<BrowserContext> =>
  chromium.launchPersistentContext(folder, {
    executablePath: await findWholeChromium(),
    ...(baseURL === undefined ? {} : { baseURL }),
    // Some versions fill in only what a person has picked. The browser to be afraid of is the one that does not wait.
    args: [...flags, "--password-store=basic", "--disable-features=fill-on-account-select"],
    // A browser that is driven by a program has no password manager.
    ignoreDefaultArgs: ["--enable-automation"],
  });

const internals = async (context: BrowserContext): Promise<Page> => {
  const page = await context.newPage();
  await page.goto("chrome://password-manager-internals/");
  return page;
};

/** The browser lays out its own store, and reads what is there when it starts. */
const layOut = async (): Promise<Buffer> => {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-profile-"));
  const context = await launch(folder);
  await (await internals(context)).close();
  await context.close();
  const store = await readFile(join(folder, "Default", "Login Data"));
  await rm(folder, { recursive: true, force: true });
  return store;
};

let laidOut: Promise<Buffer> | undefined;

/** A browser of its own, which knows this login of the server at the origin. */
export const startProfile = async (origin: string, login: Login): Promise<Profile> => {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-profile-"));
  const file = join(folder, "Default", "Login Data");
  await mkdir(join(folder, "Default"));
  await writeFile(file, await (laidOut ??= layOut()));
  insertLogin(file, origin, login);
  const context = await launch(folder, origin);
  const log = await internals(context);
  let closed: Promise<Kept> | undefined;
  const close = async (): Promise<Kept> => {
    await context.close();
    const kept = { saved: namesIn(file, "logins"), offered: namesIn(file, "stats") };
    await rm(folder, { recursive: true, force: true });
    return kept;
  };
  return {
    context,
    log: () => log.evaluate<string>("document.body.innerText"),
    close: () => (closed ??= close()),
  };
};
