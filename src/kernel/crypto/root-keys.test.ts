import { inspect } from "node:util";

import { describe, expect, test } from "vitest";

import { SetupFault } from "../errors.ts";
import { checkValue, parseRootKeys } from "./root-keys.ts";

const one = Buffer.alloc(32, 1).toString("base64");
const two = Buffer.alloc(32, 2).toString("base64");

const faultOf = (text: string): SetupFault => {
  try {
    parseRootKeys(text, "LATCHKEY_ROOT_KEYS");
  } catch (error) {
    if (error instanceof SetupFault) return error;
    throw error;
  }
  throw new Error("was accepted");
};

describe("reading root keys", () => {
  test.each([
    ["commas", `new:${one},old:${two}`],
    ["lines", `new:${one}\nold:${two}\n`],
    ["blanks, empty entries and Windows line ends", ` new:${one} ,\r\n,\r\n\told:${two}\r\n`],
    ["remarks, even with commas", `# a remark, with old:${one}\nnew:${one}\n  # another\nold:${two}`],
  ])("takes entries separated by %s; the first wraps, all open", (_, text) => {
    const keys = parseRootKeys(text, "here");
    expect(keys.current.id).toBe("new");
    expect(keys.ids).toEqual(["new", "old"]);
    expect(keys.byId("old")?.key.export().toString("base64")).toBe(two);
    expect(keys.byId("other")).toBeUndefined();
    expect(keys.byId("constructor")).toBeUndefined();
  });

  test.each([
    ["nothing", "", /has no root key/],
    ["remarks only", "# none\n", /has no root key/],
    ["no id", one, /root key 1 must be written id:base64/],
    ["an empty id", `a:${one},:${two}`, /root key 2 must be written id:base64/],
    ["an id with other characters", `a b:${one}`, /root key 1 must be written/],
    ["an id of 65", `${"a".repeat(65)}:${one}`, /root key 1 must be written/],
    ["31 bytes", `a:${Buffer.alloc(31, 1).toString("base64")}`, /root key 1 \(a\) must carry 32 bytes/],
    ["33 bytes", `a:${Buffer.alloc(33, 1).toString("base64")}`, /root key 1 \(a\) must carry 32 bytes/],
    ["base64 with other characters", `a:${one.slice(0, -2)}!=`, /must carry 32 bytes of base64/],
    ["base64 with bits left over", `a:${one.slice(0, -2)}F=`, /must carry 32 bytes of base64/],
    ["base64 without padding", `a:${one.slice(0, -1)}`, /must carry 32 bytes of base64/],
    ["one id twice", `a:${one}\nb:${two}\na:${two}`, /root key 3 \(a\) has the id of an earlier one/],
  ])("refuses %s, naming the entry and the rule", (_, text, sentence) => {
    expect(faultOf(text).message).toMatch(sentence);
    expect(faultOf(text).message).toMatch(/^LATCHKEY_ROOT_KEYS/);
  });

  test("never quotes a key in a fault, nor prints one", () => {
    for (const text of [one, `a:${one}x`, `a:${one},a:${one}`, `a b:${one}`]) {
      expect(inspect(faultOf(text))).not.toContain(one.slice(0, 20));
    }
    const shown = inspect(parseRootKeys(`a:${one}`, "here"), { depth: 9, showHidden: true });
    expect(shown).not.toContain(one);
    expect(JSON.stringify(parseRootKeys(`a:${one}`, "here"))).not.toContain(one);
  });
});

test("the check value tells another key under the same id, and shows nothing of the key", () => {
  const check = (text: string) => checkValue(parseRootKeys(text, "here").current);
  expect(check(`a:${one}`)).toBe(check(`a:${one}`));
  expect(check(`a:${one}`)).not.toBe(check(`a:${two}`));
  expect(check(`a:${one}`)).not.toBe(check(`b:${one}`));
  expect(check(`a:${one}`)).toMatch(/^[0-9a-f]{64}$/);
  expect(check(`a:${one}`)).not.toContain("01010101");
});
