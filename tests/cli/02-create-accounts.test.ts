import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { auditOf, leavePlaces, newPlace, type Place, type Server } from "../support/command.ts";
import { freePort } from "../support/free-port.ts";

const password = "correct horse 7";
const id = /^[2-9A-HJ-NP-Za-km-z]{22}\n$/;

let place: Place;
let server: Server;
beforeAll(async () => {
  place = await newPlace({ LATCHKEY_SIGN_UPS: "1000" });
  server = await place.serve();
});
afterAll(leavePlaces);

const latchkey = (...args: string[]) => place.latchkey(args);
const create = (email: string, ...options: string[]) =>
  place.latchkey(["account", "create", email, "--password-stdin", ...options], { input: `${password}\n` });
const me = (user: string, pass: string) => server.send("GET", "/api/v9/me", { basic: [user, pass] });
const mailsQueued = (): Promise<number> =>
  place.withStore(async ({ query }) => (await query.selectFrom("mail_queue").select("id").execute()).length);

describe("latchkey account create", () => {
  test("makes what a sign-up makes, prints the id alone, and sends no mail", async () => {
    const { code, out, err } = await create(
      "Ada@Example.com",
      "--name",
      "Ada Lovelace",
      "--timezone",
      "Europe/London",
    );

    expect({ code, err }).toEqual({ code: 0, err: "Ada@example.com has an account.\n" });
    expect(out).toMatch(id);
    const reply = await me("ada@example.com", password);
    expect(reply.json()).toMatchObject({
      email: "Ada@example.com",
      fullname: "Ada Lovelace",
      timezone: "Europe/London",
      toggl_accounts_id: out.trim(),
      api_token: expect.stringMatching(/^[0-9a-f]{32}$/),
      default_workspace_id: expect.any(Number),
    });
    const workspaces = await server.send("GET", "/api/v9/me/workspaces", {
      basic: ["ada@example.com", password],
    });
    expect(workspaces.json()).toHaveLength(1);
    expect(await place.mails()).toEqual([]);
    expect(await mailsQueued()).toBe(0);
    expect(await auditOf(place, "Ada@example.com")).toContainEqual({
      event: "sign_up",
      channel: "cli",
      outcome: "done",
      by: expect.stringMatching(/^latchkey command line, \S+/),
    });
  });

  test("takes the first line of standard input as it is, and nothing behind it", async () => {
    const typed = " a pass, with blanks: ünï ";
    const { code } = await place.latchkey(["account", "create", "line@example.com", "--password-stdin"], {
      input: `${typed}\r\nanother line\n`,
    });

    expect(code).toBe(0);
    expect((await me("line@example.com", typed)).status).toBe(200);
  });

  test("makes a strong password when there is nobody to ask, and prints it alone", async () => {
    const { code, out, err } = await latchkey("account", "create", "made@example.com");

    expect(code).toBe(0);
    expect(out).toMatch(/^([2-9A-HJ-NP-Za-km-z]{5}-){3}[2-9A-HJ-NP-Za-km-z]{5}\n$/);
    expect(err).toMatch(
      /^made@example\.com has the account [2-9A-HJ-NP-Za-km-z]{22}, with this password\.\n$/,
    );
    expect((await me("made@example.com", out.trim())).status).toBe(200);
  });

  test("makes one as long as the setting asks for", async () => {
    const { out } = await place.latchkey(["account", "create", "long@example.com"], {
      settings: { LATCHKEY_PASSWORD_MIN: "64" },
    });

    expect(out.trim().length).toBeGreaterThanOrEqual(64);
    expect((await me("long@example.com", out.trim())).status).toBe(200);
  });

  test("--json has the id, and the password only when it was made", async () => {
    const given = await create("json@example.com", "--json");
    const made = await latchkey("account", "create", "json2@example.com", "--json");

    expect(given.err + made.err).toBe("");
    expect(JSON.parse(given.out)).toEqual({
      id: expect.stringMatching(/^.{22}$/),
      email: "json@example.com",
    });
    expect(JSON.parse(made.out)).toEqual({
      id: expect.stringMatching(/^.{22}$/),
      email: "json2@example.com",
      password: expect.stringMatching(/^.{23}$/),
    });
  });

  test("refuses what a sign-up refuses, with a sentence, and makes nothing", async () => {
    await create("taken@example.com");
    const refused: ReadonlyArray<readonly [readonly string[], string, RegExp]> = [
      [
        ["TAKEN@example.com", "--password-stdin"],
        password,
        /^taken@example\.com has an account already: \S{22}\.\n$/,
      ],
      [["nobody", "--password-stdin"], password, /^email must be an address like name@example\.com\.\n$/],
      [["weak@example.com", "--password-stdin"], "short", /^password must have at least 8 characters\.\n$/],
      [
        ["weak@example.com", "--password-stdin"],
        "password1",
        /^password is one of the most common passwords\.\n$/,
      ],
      [["weak@example.com", "--password-stdin"], "\n", /^There is no password on standard input/],
      [["weak@example.com", "--password-stdin"], "", /^There is no password on standard input/],
      [["weak@example.com", "--timezone", "Mars/Olympus"], "", /^--timezone must be a name of the IANA/],
      [["weak@example.com", "--timezone", "GMT+5"], "", /^--timezone must be a name of the IANA/],
      [["weak@example.com", "--name", "two\nlines"], "", /^--name must not contain line breaks/],
    ];
    for (const [args, input, sentence] of refused) {
      const { code, out, err } = await place.latchkey(["account", "create", ...args], { input });

      expect({ code, out }).toEqual({ code: 1, out: "" });
      expect(err).toMatch(sentence);
    }
    expect((await latchkey("account", "lock", "weak@example.com")).err).toBe(
      "There is no account weak@example.com.\n",
    );
  });

  test("refuses a password that is not UTF-8: it would be another one than was meant", async () => {
    const { code, out, err } = await place.latchkey(
      ["account", "create", "latin@example.com", "--password-stdin"],
      {
        input: Buffer.from("gr\xfc\xdfe aus Wien\n", "latin1"),
      },
    );

    expect({ code, out, err }).toEqual({
      code: 1,
      out: "",
      err: "The password on standard input is not UTF-8.\n",
    });
  });

  test("vouches for the address, unless it is told not to", async () => {
    const strict = await place.serve({
      LATCHKEY_HIDE_ACCOUNTS: "strict",
      LATCHKEY_PORT: String(await freePort()),
    });
    await create("vouched@example.com");
    await create("unverified@example.com", "--unverified");
    const signIn = (email: string) => strict.send("POST", "/api/sessions", { json: { email, password } });

    expect((await signIn("vouched@example.com")).status).toBe(200);
    expect((await signIn("unverified@example.com")).status).toBe(403);
    expect((await me("unverified@example.com", password)).status).toBe(200);
    await strict.end();
  });
});

test("what a command makes is for its user only", async () => {
  const fresh = await newPlace();
  await fresh.latchkeyProcess(["migrate"]);
  await fresh.latchkeyProcess(["account", "create", "first@example.com"]);
  for (const name of await readdir(fresh.folder)) {
    expect((await stat(join(fresh.folder, name))).mode & 0o077, name).toBe(0);
  }
});
