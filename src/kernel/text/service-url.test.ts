import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readServiceUrl } from "./service-url.ts";

const postgres = ["postgres:", "postgresql:"];
const smtp = ["smtp:", "smtps:"];

describe("readServiceUrl", () => {
  test.each([
    "postgres://u:p%23ss@localhost/latchkey",
    "postgresql://localhost/latchkey?user=a@b&options=-c%20x",
    "postgres://u:p:ss@[::1]:5432/latchkey",
    "POSTGRES://u@%2Fvar%2Frun/latchkey",
  ])("%s is one", (text) => {
    expect(readServiceUrl(text, postgres)).toBeInstanceOf(URL);
  });

  test.each([
    [
      "postgres://u:p#ss@localhost/latchkey",
      postgres,
      "has # in its user or password, which must be written %23 there",
    ],
    [
      "postgres://u:12#ss@localhost/latchkey",
      postgres,
      "has # in its user or password, which must be written %23 there",
    ],
    [
      "postgres://u:12/ss@localhost/latchkey",
      postgres,
      "has / in its user or password, which must be written %2F there",
    ],
    [
      "postgres://u:p?s[s@localhost/db",
      postgres,
      "has ? and [ in its user or password, which must be written %3F and %5B there",
    ],
    [
      "postgres://u:50%@localhost/db",
      postgres,
      "has % in its user or password, which must be written %25 there",
    ],
    [
      "smtp://me@example.com:pa/ss@smtp.example.com:587",
      smtp,
      "has @ and / in its user or password, which must be written %40 and %2F there",
    ],
    [
      "smtp://me@example.com:12/ss@smtp.example.com:587",
      smtp,
      "has @ and / in its user or password, which must be written %40 and %2F there",
    ],
    [
      "smtp://me:pa ss@smtp.example.com",
      smtp,
      "has a blank in its user or password, which must be written %20 there",
    ],
    [
      "postgresql:///latchkey?host=/var/run/postgresql",
      postgres,
      "names no host, like localhost, behind its //; a socket can't be given",
    ],
    [
      "postgres://u@h1,h2/db?target_session_attrs=read-write",
      postgres,
      "names several hosts, and only one can be given",
    ],
    ["postgres://u:p@h1:5432,h2:5432/db", postgres, "names several hosts, and only one can be given"],
    ["postgres://localhost:99999/db", postgres, "has a host or a port that no URL can have"],
    ["mysql://localhost/db", postgres, "must be a URL that starts with postgres:// or postgresql://"],
    ["localhost", smtp, "must be a URL that starts with smtp:// or smtps://"],
  ] as const)("%s: what is wrong is told", (text, schemes, sentence) => {
    expect(readServiceUrl(text, schemes)).toBe(sentence);
  });

  test("nothing of a password is ever told, and what starts right is never said not to", () => {
    const letter = fc.constantFrom(..."kq0:/?#@%[ ".split(""));
    fc.assert(
      fc.property(fc.array(letter, { minLength: 1, maxLength: 12 }), (letters) => {
        const found = readServiceUrl(`smtp://me:Hunter2${letters.join("")}@mail.example.com:587`, smtp);
        if (typeof found !== "string") return;
        expect(found).not.toContain("Hunter2");
        expect(found).not.toMatch(/starts with/);
      }),
    );
  });
});
