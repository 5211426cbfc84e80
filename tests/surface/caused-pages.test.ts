import { existsSync, globSync } from "node:fs";
import { expect, test } from "vitest";
import { differencesOf, formatPage, parsePage, statementOf } from "../support/caused-page.ts";

/** The pages that say what tests cause: tests/support/check-caused.ts holds every test to its own. */

test("every page is of a test file that is there", () => {
  const pages = globSync("tests/*/caused/*.txt");
  expect(pages.length).toBeGreaterThan(50);
  for (const page of pages) {
    const file = page.replace(/caused([\\/][^\\/]+)\.txt$/, "$1.test.ts").replace(/[\\/]{2}/, "/");
    expect([page, existsSync(file)]).toEqual([page, true]);
  }
});

test("a page that is read is the one that was written", () => {
  const page = new Map([
    ["one > says something", ["audit sign_up", "mail → somebody ×2"]],
    ["one > says nothing", []],
    ["another > says the same", ["audit sign_up", "mail → somebody ×2"]],
  ]);

  expect(parsePage(formatPage("any.test.ts", page))).toEqual(page);
});

const signUps = (...people: readonly string[]): readonly string[] =>
  people.map((person) => `audit sign_up · ${person}`);

test("numbers that change from run to run say nothing, and people stay apart", () => {
  const [one, other] = [signUps("p7@x", "p9@x", "p7@x"), signUps("p11@x", "p102@x", "p11@x")];

  expect(statementOf(one, false)).toEqual(["audit sign_up · p#1@x ×2", "audit sign_up · p#2@x"]);
  expect(statementOf(other, false)).toEqual(statementOf(one, false));
  expect(statementOf(signUps("p7@x", "p9@x", "p9@x"), false)).not.toEqual(statementOf(one, false));
});

test("a line too many, a line too few and a number are differences; where chance decides, only what is new", () => {
  const differences = (stated: readonly string[], caused: readonly string[], anyOf?: readonly string[]) =>
    differencesOf(stated, caused, anyOf && new Set(anyOf));

  expect(differences(["a", "b"], ["a", "b"])).toEqual([]);
  expect(differences(["a", "b"], ["a", "c"])).toEqual(["- b", "+ c"]);
  expect(differences(["a ×2"], ["a"])).toEqual(["- a ×2", "+ a"]);
  expect(differences(["~ a", "~ b"], ["~ a"], ["a", "b"])).toEqual([]);
  expect(differences(["~ a"], ["~ a", "~ c"], ["a", "b"])).toEqual(["+ ~ c"]);
  expect(differences(["~ a"], ["~ a", "~ b"], ["a", "b"])).toEqual([]);
  // Whoever takes the call out of the test has to say numbers.
  expect(differences(["~ a"], ["a"])).toEqual(["- ~ a", "+ a"]);
});
