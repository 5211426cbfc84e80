import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { leavePlaces, newPlace, type Place } from "../support/command.ts";

/** What only a process shows: that it ends by itself, with this exit code, whatever is at its streams. */

const password = "correct horse 7";

let place: Place;
beforeAll(async () => {
  place = await newPlace();
  await place.latchkey(["migrate"]);
  await place.latchkey(["account", "create", "ada@example.com", "--password-stdin"], { input: password });
});
afterAll(leavePlaces);

const toggl = fileURLToPath(new URL("../../providers/toggl.yaml", import.meta.url));

describe("a command leaves nothing open", () => {
  test.each([
    { typed: ["--version"], code: 0 },
    { typed: ["frobnicate"], code: 2 },
    { typed: ["migrate"], code: 0 },
    { typed: ["doctor"], code: 0 },
    { typed: ["keys", "status"], code: 0 },
    { typed: ["account", "unlock", "ada@example.com"], code: 0 },
    { typed: ["account", "unlock", "nobody@example.com"], code: 1 },
    { typed: ["environment", "key", "prod", "--revoke", "none", "--json"], code: 0 },
    { typed: ["connect", "check", toggl], code: 0 },
  ])("latchkey $typed", async ({ typed, code }) => {
    const ended = await place.latchkeyProcess(typed);

    expect(ended.code).toBe(code);
    expect(ended).toEqual(await place.latchkey(typed));
  });
});

describe("standard input", () => {
  test("is read up to the first line: whoever types need not close it", async () => {
    const typed = place.begin(["account", "create", "open@example.com", "--password-stdin"]);
    typed.stdin.write(`${password}\n`);

    expect(await once(typed, "close")).toEqual([0, null]);
    expect(await place.latchkey(["account", "unlock", "open@example.com"])).toMatchObject({ code: 0 });
  });
});

test("whoever reads may stop early, as `head` does", async () => {
  const typed = place.begin(["help"]);
  typed.stdout.destroy();
  let told = "";
  typed.stderr.setEncoding("utf8").on("data", (text: string) => (told += text));

  expect(await once(typed, "close")).toEqual([0, null]);
  expect(told).toBe("");
});
