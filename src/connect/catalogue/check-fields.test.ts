import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Refusal, type Issue } from "../../kernel/errors.ts";
import { checkCredentials, checkFields, inspectFields } from "./check-fields.ts";
import { fileOf, shipped, written } from "./providers.fixture.ts";

const issuesOf = (work: () => unknown): readonly Issue[] => {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal && error.code === "input_invalid") return error.issues;
    throw error;
  }
  return [];
};

const { connection_config: fields } = written(
  fileOf(`connection_config:
  site: { title: Site, prefix: "https://", suffix: .example.com, pattern: "[a-z0-9-]+", looks_like: a name like acme }
  host: { title: Host, format: hostname, optional: true, example: git.example.com }
  mail: { title: Mail, format: email, optional: true }
  code: { title: Code, format: uuid, optional: true }
  page: { title: Page, format: uri, optional: true }
  region: { title: Region, enum: [us, eu], default: us }
  version: { title: Version, default: "2", hidden: true }
  note: { title: Note, optional: true, keep_blanks: true }
`),
);

const check = (given: Readonly<Record<string, unknown>>) => checkFields(fields, { site: "acme", ...given });

test("what is left out gets its default, and what may be empty is left out", () => {
  expect(check({ host: "", mail: "  " })).toEqual({ site: "acme", region: "us", version: "2" });
});

describe("what came along when a value was pasted is taken off", () => {
  test.each([
    ["  acme\r\n", "acme"],
    ["\u200bacme\u00a0\ufeff", "acme"],
    ["https://acme.example.com", "acme"],
    ["HTTPS://acme.Example.com/agent/?x=1", "acme"],
    ["acme.example.com", "acme"],
    ['"acme"\n', "acme"],
    ["` acme `", "acme"],
  ])("%j", (pasted, site) => {
    expect(check({ site: pasted })).toMatchObject({ site });
  });

  test("of a host name also the path", () => {
    expect(check({ host: " https://git.example.com/groups/x " })).toMatchObject({ host: "git.example.com" });
  });

  test("but not the blanks of what a person made up", () => {
    expect(check({ note: "\t two words \r\n" })).toMatchObject({ note: " two words " });
  });
});

describe("what a field does not take is refused by name, with a sentence", () => {
  test.each([
    [{ site: "" }, "site", "required", "Site is missing"],
    [{ site: "a b" }, "site", "pattern", "Site must be a name like acme"],
    [{ site: "acme.example.com.evil.example" }, "site", "pattern", "Site must be a name like acme"],
    [{ site: 5 }, "site", "type", /^Site \(site\) must be a text$/],
    [{ site: null }, "site", "type", /^Site \(site\) must be a text$/],
    [{ host: "git.example.com:8443" }, "host", "format", /host name.*like git\.example\.com/],
    [{ host: "-x.example" }, "host", "format", /host name/],
    [{ host: "a..b" }, "host", "format", /host name/],
    [{ mail: "ada" }, "mail", "format", "Mail must be an e-mail address"],
    [{ code: "123" }, "code", "format", "Code must be a UUID"],
    [{ page: "javascript:1" }, "page", "format", /https/],
    [{ page: "https://a:b@example.com" }, "page", "format", /https/],
    [{ region: "mars" }, "region", "enum", "Region must be one of these: us, eu"],
    [{ note: "x".repeat(1025) }, "note", "too_long", "Note is longer than 1024 characters"],
    [{ note: "a\nb" }, "note", "control_character", /line break/],
    [{ note: "a\0b" }, "note", "control_character", /control/],
    [{ note: "\ud800" }, "note", "control_character", /control/],
    [{ colour: "x" }, "colour", "unrecognized_keys", '"colour" is not asked for here'],
    [{ regoin: "eu" }, "regoin", "unrecognized_keys", /did you mean "region"/],
    [{ constructor: "x" }, "constructor", "unrecognized_keys", /not asked for/],
  ])("%j", (given, field, rule, message) => {
    const issues = issuesOf(() => check(given));
    expect(issues).toEqual([{ field, rule, message: expect.stringMatching(message) }]);
  });

  test("all at once, under the name of the record", () => {
    const issues = issuesOf(() => checkFields(fields, { region: "mars", x: "1" }, "params"));
    expect(issues.map(({ field }) => field)).toEqual(["params.site", "params.region", "params.x"]);
  });
});

test("what is hidden is filled in, whatever was sent in its place", () => {
  expect(check({ version: "9" })).toMatchObject({ version: "2" });
  expect(check({ version: { a: 1 } })).toMatchObject({ version: "2" });
});

test("a field with a name that every object inherits is like any other", () => {
  const odd = written(
    fileOf("connection_config:\n  constructor: { title: Odd, default: d }\n  toString: { title: S }\n"),
  );
  expect(issuesOf(() => checkFields(odd.connection_config, {}))).toMatchObject([
    { field: "toString", rule: "required" },
  ]);
  expect(checkFields(odd.connection_config, { toString: "s" })).toEqual({ constructor: "d", toString: "s" });
});

describe("credentials", () => {
  const toggl = shipped("toggl");
  const [token, pair] = toggl.shapes;
  if (!token || !pair) throw new Error("Toggl has two shapes.");

  test("a token gets its filler", () => {
    expect(checkCredentials(toggl, token, { username: ` ${"a1".repeat(16)}\n`, password: "" })).toEqual({
      username: "a1".repeat(16),
      password: "api_token",
    });
  });

  test("a token that was cut off is told in words", () => {
    expect(issuesOf(() => checkCredentials(toggl, token, { username: "a1" }))).toEqual([
      {
        field: "username",
        rule: "pattern",
        message: "API token must be 32 characters, the digits and the letters a to f",
      },
    ]);
  });

  test("a password keeps its blanks", () => {
    expect(checkCredentials(toggl, pair, { username: " ada@example.com ", password: " a b \n" })).toEqual({
      username: "ada@example.com",
      password: " a b ",
    });
  });

  test("a colon in the user name is refused, because Basic ends the name there", () => {
    const plain = written(fileOf(""));
    const [shape] = plain.shapes;
    if (!shape) throw new Error("A provider has a shape.");
    expect(
      issuesOf(() => checkCredentials(plain, shape, { username: "a:b", password: "c" }, "body")),
    ).toEqual([{ field: "body.username", rule: "colon", message: "User can't have a colon in it" }]);
    expect(checkCredentials(plain, shape, { username: "a", password: "b:c" })).toEqual({
      username: "a",
      password: "b:c",
    });
  });
});

test("whatever is sent ends in values that the rules hold for, or in issues", () => {
  const value = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("acme", "eu", " us "), fc.anything());
  const name = fc.oneof(fc.constantFrom(...Object.keys(fields)), fc.string());
  fc.assert(
    fc.property(fc.dictionary(name, value), (given) => {
      const { values, issues } = inspectFields(fields, given, "params");
      expect(Object.keys(fields)).toEqual(expect.arrayContaining(Object.keys(values)));
      for (const text of Object.values(values)) {
        expect(text.length).toBeLessThanOrEqual(1024);
        expect(Array.from(text).every((letter) => letter >= " " && letter !== "\x7f")).toBe(true);
      }
      const strangers = Object.keys(given).filter((key) => !Object.hasOwn(fields, key));
      expect(issues.filter(({ rule }) => rule === "unrecognized_keys")).toHaveLength(strangers.length);
      for (const { field } of issues) expect(field.startsWith("params.")).toBe(true);
    }),
  );
});
