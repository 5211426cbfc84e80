import { describe, expect, test } from "vitest";
import { places } from "#app/pages/places.ts";
import { codeOf, readSources, type Source } from "./sources.ts";

const isWritten = ({ path }: Source): boolean =>
  /^(src|web)\/.*\.tsx?$/.test(path) &&
  !/\.(test|fixture|generated)\.tsx?$/.test(path) &&
  path !== "src/app/pages/places.ts";

/** As a whole path: neither the end of a longer one nor its beginning. */
const spelled = Object.values(places)
  .map(({ path }) => path)
  .filter((path) => path !== "/")
  .map((path) => new RegExp(`(?<![\\w./-])${path}(?![\\w/-])`));

/** "/" means too much on the server (the path of a cookie, a separator), and only one thing in a page. */
const home = /(["'`])\/\1/;

const spellsPlace = (source: Source): boolean => {
  const code = codeOf(source);
  return spelled.some((pattern) => pattern.test(code)) || (source.path.startsWith("web/") && home.test(code));
};

test("the path of a page is written in one file", async () => {
  const sources = (await readSources()).filter(isWritten);

  expect(sources.map(({ path }) => path)).toEqual(
    expect.arrayContaining(["web/pages/home.tsx", "src/accounts/mailing/mails.ts"]),
  );
  expect(sources.filter(spellsPlace).map(({ path }) => path)).toEqual([]);
});

describe("it would be noticed:", () => {
  test.each([
    ["web/pages/x.tsx", '<a href="/login">'],
    ["web/pages/x.tsx", '<a href="/">'],
    ["web/pages/x.tsx", 'location.assign("/account?notice=x")'],
    ["src/accounts/x.ts", "`${origin}/reset#${code}`"],
    ["src/connect/x.ts", "`${origin}/connect/#session_token=${token}`"],
    ["src/cli/x.ts", '"the owner enters it at /reset."'],
  ])("%s: %s", (path, text) => {
    expect(spellsPlace({ path, text })).toBe(true);
  });
});

describe("and these are other things:", () => {
  test.each([
    ["web/pages/x.tsx", 'call("GET /connect/form", {})'],
    ["web/pages/x.tsx", "// Back to /login."],
    ["src/connect/x.ts", 'path: "/connections/verify"'],
    ["src/accounts/x.ts", 'path: "/"'],
    ["src/accounts/x.ts", 'import type { Account } from "../model/account.ts";'],
  ])("%s: %s", (path, text) => {
    expect(spellsPlace({ path, text })).toBe(false);
  });
});
