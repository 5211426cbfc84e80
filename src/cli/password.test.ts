import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { askTwice, firstLine } from "./password.ts";

/** A terminal at which somebody types these keys, and what it shows. */
const terminal = () => {
  const input = new PassThrough();
  const output = new PassThrough();
  let shown = "";
  output.setEncoding("utf8").on("data", (text: string) => (shown += text));
  return { input, output, shown: () => shown };
};

describe("a password at a terminal", () => {
  test("is asked for twice and never shown", async () => {
    const { input, output, shown } = terminal();
    const asked = askTwice(input, output);
    input.write("correct horxx\u007f\u007fse 7\r");
    input.write("correct horse 7\r");

    expect((await asked).reveal()).toBe("correct horse 7");
    expect(shown()).toBe("Password: \nThe same again: \n");
  });

  test("may be pasted as two lines at once", async () => {
    const { input, output } = terminal();
    const asked = askTwice(input, output);
    input.write("ünï 日本 pass\rünï 日本 pass\r");

    expect((await asked).reveal()).toBe("ünï 日本 pass");
  });

  test.each([
    ["differs the second time", "correct horse 7\rcorrect horse 8\r", /the two passwords differ/],
    ["is empty", "\r", /the password is empty/],
    ["is given up with Ctrl-C", "correct\u0003", /^Nothing was done\.$/],
    ["is given up with Ctrl-C the second time", "correct horse 7\rcorr\u0003", /^Nothing was done\.$/],
    ["is given up with Ctrl-D", "\u0004", /^Nothing was done\.$/],
  ])("that %s is refused", async (_, keys, sentence) => {
    const { input, output, shown } = terminal();
    const asked = askTwice(input, output);
    input.write(keys);

    await expect(asked).rejects.toThrow(sentence);
    expect(shown()).not.toMatch(/corr|horse/);
  });
});

describe("a password on standard input", () => {
  test.each([
    ["one line", "correct horse 7\n", "correct horse 7"],
    ["no end of line", "correct horse 7", "correct horse 7"],
    ["Windows' end of line", "correct horse 7\r\nmore\r\n", "correct horse 7"],
    ["blanks around it", "  correct horse 7 \n", "  correct horse 7 "],
  ])("%s", async (_, text, password) => {
    const input = new PassThrough();
    input.end(text);

    expect((await firstLine(input)).reveal()).toBe(password);
  });

  test("is there as soon as its line is: the other end need not close", async () => {
    const input = new PassThrough();
    input.write("correct horse 7\n");

    expect((await firstLine(input)).reveal()).toBe("correct horse 7");
  });
});
