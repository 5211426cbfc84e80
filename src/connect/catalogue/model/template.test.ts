import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fill, namesIn, templateOf, TemplateFault } from "./template.ts";

const values: Readonly<Record<string, string>> = {
  username: "ada",
  password: "pä:ss",
  apiKey: "${username}",
};
const valueOf = (name: string): string => values[name] ?? "";

describe("templates", () => {
  test.each([
    ["plain", "plain"],
    ["Bearer ${apiKey}", "Bearer ${username}"],
    ["${username}${password}", "adapä:ss"],
    ["Basic ${base64(${username}/token:${password})}", "Basic YWRhL3Rva2VuOnDDpDpzcw=="],
    ["${base64(a:b)}", "YTpi"],
    ["a $ { } $5", "a $ { } $5"],
    ["${base64()}.", "."],
    ["😀${username}😀", "😀ada😀"],
  ])("%s", (text, filled) => {
    expect(fill(templateOf(text), valueOf)).toBe(filled);
  });

  test("tell the names that they take", () => {
    expect(namesIn(templateOf("${a}-${base64(${b}:${a})}"))).toEqual(["a", "b", "a"]);
  });

  test.each(["${", "a ${username", "${base64(a", "${base64(${a})", "${base64(${base64(a)})}"])(
    "refused: %s",
    (text) => {
      expect(() => templateOf(text)).toThrow(TemplateFault);
    },
  );
});

test("a value is put in once, as it is, and never read as a template", () => {
  const plain = fc.string({ unit: "binary" }).filter((text) => !text.includes("$"));
  fc.assert(
    fc.property(plain, plain, fc.string({ unit: "binary" }), (before, behind, value) => {
      expect(fill(templateOf(`${before}\${x}${behind}`), () => value)).toBe(before + value + behind);
    }),
  );
});
