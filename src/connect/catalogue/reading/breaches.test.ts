import { describe, expect, test } from "vitest";
import { fileOf } from "../providers.fixture.ts";
import { faultLine, readProvider } from "./read-provider.ts";

const linesOf = (text: string): readonly string[] => readProvider("example.yaml", text).faults.map(faultLine);

describe("what each part may say, but not together", () => {
  const config = (field: string): string => `connection_config:\n  x: { title: X, ${field} }`;
  test.each([
    ["a pattern that could hang", config('pattern: "(a+)+"'), /x\.pattern could take too long/],
    ["a pattern that is none", config('pattern: "["'), /x\.pattern is not a pattern/],
    ["words without a pattern", config("looks_like: a name"), /x\.looks_like tells a pattern/],
    ["hidden without a default", config("hidden: true"), /x\.hidden needs a default/],
    ["hidden and optional", config("hidden: true, default: a, optional: true"), /x\.optional says nothing/],
    [
      "a default that does not fit",
      config('default: a, pattern: "b"'),
      /x\.default is not what the field takes/,
    ],
    ["an example that does not fit", config("example: a b, format: hostname"), /x\.example is not what/],
    ["a choice that does not fit", config('enum: [a, c], pattern: "[ab]"'), /x\.enum has the choice c/],
    ["a choice twice", config("enum: [a, a]"), /x\.enum has a choice twice/],
    ["a section that is not there", config('doc_section: "#nowhere"'), /x\.doc_section leads nowhere/],
    [
      "a name that is taken",
      "integration_config:\n  base_url: { title: B }",
      /base_url is a name that is taken/,
    ],
    [
      "a template without a declaration",
      "headers: { X-A: '${connectionConfig.site}' }",
      /takes \$\{connectionConfig\.site\}, which nothing declares/,
    ],
    ["a template with a slip", "headers: { X-A: '${usrname}' }", /Did you mean \$\{username\}/],
    ["a template of another mode", "query: { k: '${apiKey}' }", /takes \$\{apiKey\}, which nothing declares/],
    ["a template that stays open", "headers: { X-A: '${username' }", /has a \$\{ without its \}/],
    ["a base64 that stays open", "headers: { X-A: '${base64(${username})' }", /without its \)\}/],
    ["a base64 in a base64", "headers: { X-A: '${base64(${base64(a)})}' }", /within another/],
    [
      "a value that may be missing",
      "connection_config:\n  o: { title: O, optional: true }\nheaders: { X-O: '${connectionConfig.o}' }",
      /may be left empty/,
    ],
    ["a header of the connection", "headers: { Content-Length: '5' }", /the server sets itself/],
    ["a header that is none", "headers: { 'a b': '5' }", /no name of a header/],
    ["a header twice", "headers: { X-A: '1', x-a: '2' }", /x-a is there twice/],
    ["a header with a line break", 'headers: { X-A: "1\\r\\nX-B: 2" }', /no header can carry/],
    ["a rule for everything", "outcomes:\n  - when: {}\n    is: quota", /fits every answer/],
    [
      "a rule with a bad path",
      "outcomes:\n  - when: { body: { path: 'a..b', matches: a } }\n    is: quota",
      /must be a path/,
    ],
    [
      "a rule that could hang",
      "outcomes:\n  - when: { body: { path: a, matches: '(a|a)*' } }\n    is: quota",
      /too long/,
    ],
    [
      "a section twice",
      "guide:\n  - { anchor: a, title: A, text: A }\n  - { anchor: a, title: B, text: B }",
      /is there twice/,
    ],
    ["a wait in no header", "retry: { after: ['a b'] }", /retry\.after\.0 must be the name of a header/],
  ])("%s", (_, more, reason) => {
    const lines = linesOf(fileOf(more));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(reason);
  });
});

describe("a value may not choose whose host is called", () => {
  const site = (field: string): string => `connection_config:\n  site: { title: Site, ${field} }`;
  const label = 'pattern: "[a-z]+"';
  test.each([
    ["https://${connectionConfig.site}.example.com", label, undefined],
    ["https://eu-${connectionConfig.site}.api.example.com/v1", label, undefined],
    ["https://${connectionConfig.site}.example.com", "enum: [api, api.eu]", undefined],
    ["https://${connectionConfig.site}/api", "format: hostname", undefined],
    ["https://git.${connectionConfig.site}", "format: hostname", undefined],
    ["https://api.example.com/${connectionConfig.site}", "optional: true, default: x", undefined],
    ["https://${connectionConfig.site}.example.com", "optional: false", /needs a pattern or an enum/],
    ["https://${connectionConfig.site}", label, /whole host, and needs format: hostname/],
    ["https://${connectionConfig.site}.com", label, /would let a value choose the domain/],
    ["https://${connectionConfig.site}example.com", label, /would let a value choose the domain/],
    ["https://${connectionConfig.site}.example.com", `${label}, secret: true`, /everybody on the way sees/],
    ["https://${connectionConfig.site}.example.com", "enum: [a b]", /has the choice a b/],
    ["https://${username}.example.com", label, /everybody on the way sees/],
    ["https://${base64(${username})}.example.com", label, /base64.* in its host/],
    ["http://api.example.com", label, /must start with https/],
    ["https://api.example.com:8443", label, /has a host with other than/],
    ["https://user@api.example.com", label, /has a host with other than/],
    ["https://API.example.com", label, /has a host with other than/],
    ["https://", label, /no right host name/],
    ["https://api..example.com", label, /no right host name/],
    ["https://api.example.com/?a=b", label, /must end with its path/],
    ["'latchkey:'", label, /needs paths/],
    ["'latchkey:/api'", label, /must start with https/],
  ])("%s with %s", (baseUrl, field, reason) => {
    const lines = linesOf(fileOf(site(field), { baseUrl }));
    if (reason === undefined) expect(lines).toEqual([]);
    else expect(lines.join("\n")).toMatch(reason);
  });

  test("the provider of this server opens its Track API and nothing else", () => {
    const of = (paths: string): readonly string[] =>
      linesOf(fileOf(`paths: ${paths}`, { baseUrl: "'latchkey:'" }));
    expect(of("[/api/v9/]")).toEqual([]);
    expect(of("[/api/v9/me/, /api/v9/workspaces/]")).toEqual([]);
    expect(of("[/api/v9/, /api/]")).toHaveLength(1);
    expect(of("[/]")).toHaveLength(1);
    expect(of("[/api/v9]")[0]).toMatch(/must be a path like/);
  });
});

describe("shapes", () => {
  const shapes = (text: string, mode = "BASIC"): readonly string[] =>
    linesOf(
      fileOf("", { mode }).replace(/shapes:\n(.*\n){3}/, `shapes:\n${text}\n`) +
        (mode === "API_KEY" ? "headers: { X-Key: '${apiKey}' }\n" : ""),
    );
  const both = "username: { title: U }, password: { title: P }";

  test.each([
    [
      "two, none recommended",
      `  - { name: a, title: A, fields: { ${both} } }\n  - { name: b, title: B, fields: { ${both} } }`,
      /one shape with recommended: true, not 0/,
    ],
    [
      "two, both recommended",
      `  - { name: a, title: A, recommended: true, fields: { ${both} } }\n  - { name: b, title: B, recommended: true, fields: { ${both} } }`,
      /recommended: true, not 2/,
    ],
    [
      "two of one name",
      `  - { name: a, title: A, recommended: true, fields: { ${both} } }\n  - { name: a, title: B, fields: { ${both} } }`,
      /is there twice/,
    ],
    [
      "a field of another mode",
      `  - { name: a, title: A, fields: { ${both}, apiKey: { title: K } } }`,
      /apiKey is no field of BASIC/,
    ],
    [
      "a field too few",
      "  - { name: a, title: A, fields: { username: { title: U } } }",
      /must have the field password/,
    ],
    [
      "a swap into nothing",
      `  - { name: a, title: A, fields: { ${both} }, swap: { read: t, into: b, field: username } }`,
      /must be the name of another shape/,
    ],
    [
      "a swap into itself",
      `  - { name: a, title: A, fields: { ${both} }, swap: { read: t, into: a, field: username } }`,
      /another shape/,
    ],
    [
      "a swap that leaves a field open",
      `  - { name: a, title: A, recommended: true, fields: { ${both} } }\n  - { name: b, title: B, fields: { ${both} }, swap: { read: t, into: a, field: username } }`,
      /whose other fields have defaults/,
    ],
    [
      "a swap from a bad path",
      `  - { name: a, title: A, recommended: true, fields: { username: { title: U }, password: { title: P, default: x, hidden: true } } }\n  - { name: b, title: B, fields: { ${both} }, swap: { read: "a b", into: a, field: username } }`,
      /must be a path/,
    ],
  ])("%s", (_, text, reason) => {
    expect(shapes(text).join("\n")).toMatch(reason);
  });

  test("an API key must be sent somewhere", () => {
    expect(linesOf(fileOf("", { mode: "API_KEY" }))).toEqual([
      "example.yaml:2:12: auth_mode is API_KEY, and neither a header nor the query takes ${apiKey}.",
    ]);
    expect(shapes("  - { name: a, title: A, fields: { apiKey: { title: K } } }", "API_KEY")).toEqual([]);
  });

  test("credentials that nobody can check are refused; no credentials need no check", () => {
    const unchecked = (mode: string): readonly string[] =>
      linesOf(fileOf("", { mode }).replace(/verification:\n(.*\n){2}/, ""));
    expect(unchecked("BASIC").join()).toMatch(/verification is missing/);
    expect(unchecked("NONE")).toEqual([]);
  });

  test.each([
    ["path: me", /must start with a slash/],
    ["path: /a/../b", /steps like/],
    ["path: /me\n  body: {}", /is for POST only/],
    ["path: /me\n  base_url: 'latchkey:'", /must start with https/],
    ["path: /me\n  base_url: http://x.example", /must start with https/],
  ])("of the check: %s", (path, reason) => {
    expect(linesOf(fileOf("").replace("path: /me", path)).join("\n")).toMatch(reason);
  });
});
