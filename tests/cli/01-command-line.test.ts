import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { leavePlaces, newPlace, type Place } from "../support/command.ts";
import { readdir } from "node:fs/promises";
import about from "../../package.json" with { type: "json" };

let place: Place;
beforeAll(async () => {
  place = await newPlace();
});
afterAll(leavePlaces);

describe("help", () => {
  test("shows every command with what it does, on standard output", async () => {
    const { code, out, err } = await place.latchkey(["--help"]);

    expect({ code, err }).toEqual({ code: 0, err: "" });
    for (const name of ["serve", "doctor", "account create EMAIL", "token revoke EMAIL", "keys revoke KID"]) {
      expect(out).toMatch(new RegExp(`^  ${name}  +[A-Z].*\\.$`, "m"));
    }
  });

  test("explains one command, however it is asked", async () => {
    const asked = [
      ["help", "account", "create"],
      ["account", "create", "--help"],
      ["--help", "account", "create"],
      ["account", "create", "ada@example.com", "--unverified", "-h"],
    ];
    const [first, ...others] = await Promise.all(asked.map((args) => place.latchkey(args)));

    expect(first?.out).toContain("Usage: latchkey account create EMAIL [--name NAME]");
    expect(first?.out).toMatch(/^ {2}--password-stdin +The password is the first line/m);
    expect(others).toEqual([first, first, first]);
  });

  test("is told to whoever does not say what to do, as a mistake", async () => {
    const { code, out, err } = await place.latchkey([]);

    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/^Say what to do\.\nUsage: latchkey COMMAND/);
  });

  test("can be read by programs", async () => {
    const { out } = await place.latchkey(["help", "keys", "rotate", "--json"]);

    expect(JSON.parse(out)).toMatchObject([
      {
        name: "keys rotate",
        usage: "latchkey keys rotate --signing",
        options: [{ name: "signing", required: true }],
      },
    ]);
  });
});

test("--version prints the version alone", async () => {
  expect(await place.latchkey(["--version"])).toEqual({ code: 0, out: `${about.version}\n`, err: "" });
  expect(JSON.parse((await place.latchkey(["--version", "--json"])).out)).toEqual({ version: about.version });
});

describe("what can't be understood ends with 2, a sentence and the usage, and prints nothing", () => {
  test.each([
    { typed: ["acount", "create"], sentence: '"acount" is not a command. Did you mean "account create"?' },
    {
      typed: ["account", "crate", "x"],
      sentence: '"account crate" is not a command. Did you mean "account create"?',
    },
    {
      typed: ["reset-password"],
      sentence: '"reset-password" is not a command. Did you mean "account reset-password"?',
    },
    { typed: ["frobnicate"], sentence: '"frobnicate" is not a command.' },
    { typed: ["keys"], sentence: 'Say what to do with "keys": status, rotate, revoke.' },
    { typed: ["account", "lock"], sentence: "account lock needs EMAIL." },
    { typed: ["keys", "rotate"], sentence: "keys rotate needs --signing." },
    { typed: ["migrate", "now"], sentence: "migrate takes only options." },
    {
      typed: ["account", "create", "a@b.example", "--pasword-stdin"],
      sentence: '--pasword-stdin is not an option of account create. Did you mean "--password-stdin"?',
    },
    { typed: ["account", "create", "a@b.example", "--name"], sentence: "--name needs a value: --name NAME." },
    {
      typed: ["account", "create", "a@b.example", "--name=A", "--name=B"],
      sentence: "--name is there twice.",
    },
    { typed: ["account", "lock", "a@b.example", "--json=yes"], sentence: "--json takes no value." },
  ])("latchkey $typed", async ({ typed, sentence }) => {
    const { code, out, err } = await place.latchkey(typed);

    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err.split("\n", 2)).toEqual([sentence, expect.stringMatching(/^Usage: latchkey /)]);
  });

  test("with --json the sentence is JSON too", async () => {
    const { code, out, err } = await place.latchkey(["account", "create", "a@b.example", "--name", "--json"]);

    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(JSON.parse(err)).toEqual({ error: "--name needs a value: --name NAME." });
  });

  test("never quotes what may be a password", async () => {
    for (const typed of [
      ["a@b.example", "hunter2!!"],
      ["a@b.example", "--password", "hunter2!!"],
      ["a@b.example", "--password=hunter2!!"],
    ]) {
      const { code, out, err } = await place.latchkey(["account", "create", ...typed]);

      expect(code).toBe(2);
      expect(out + err).not.toContain("hunter2");
    }
  });
});

test("a wrong setting is one sentence, on standard error, and 1", async () => {
  const wrong = { settings: { LATCHKEY_PROT: "80" } };

  expect(await place.latchkey(["keys", "status"], wrong)).toEqual({
    code: 1,
    out: "",
    err: "LATCHKEY_PROT is not a setting. Did you mean LATCHKEY_PORT?\n",
  });
  const asJson = await place.latchkey(["keys", "status", "--json"], wrong);
  expect(asJson).toMatchObject({ code: 1, out: "" });
  expect(JSON.parse(asJson.err)).toEqual({
    error: "LATCHKEY_PROT is not a setting. Did you mean LATCHKEY_PORT?",
  });
});

test("no store is needed for help and for mistakes, and none is made", async () => {
  const fresh = await newPlace();
  for (const args of [["help"], ["doctor", "--help"], ["frobnicate"], ["account", "lock"]])
    await fresh.latchkey(args);

  expect(await readdir(fresh.folder)).toEqual([]);
});
