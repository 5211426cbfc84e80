import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { leavePlaces, newPlace, type Place } from "../support/command.ts";

let place: Place;
beforeAll(async () => {
  place = await newPlace();
});
afterAll(leavePlaces);

const toggl = fileURLToPath(new URL("../../providers/toggl.yaml", import.meta.url));

const written = async (name: string, text: string): Promise<string> => {
  const file = join(place.folder, name);
  await writeFile(file, text);
  return file;
};

describe("latchkey connect check", () => {
  test("says ok when a server would take the file, and needs no store for it", async () => {
    const settings = { LATCHKEY_DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" };
    expect(await place.latchkey(["connect", "check", toggl], { settings })).toEqual({
      code: 0,
      out: "ok\n",
      err: "",
    });
    const { out } = await place.latchkey(["connect", "check", toggl, "--json"]);
    expect(JSON.parse(out)).toEqual({ ok: true, faults: [] });
  });

  test("prints every fault with its place, and fails", async () => {
    const file = await written("crm.yaml", "display_name: CRM\nauth_mode: BASC\nshapes: []\nheadrs: {}\n");
    const { code, out, err } = await place.latchkey(["connect", "check", file]);

    expect({ code, err }).toEqual({ code: 1, err: "" });
    expect(out.trimEnd().split("\n")).toEqual([
      `${file}:1:1: base_url is missing.`,
      `${file}:1:1: docs is missing.`,
      `${file}:2:12: auth_mode must be BASIC, API_KEY or NONE. Did you mean "BASIC"?`,
      `${file}:3:9: shapes must not be empty.`,
      `${file}:4:1: headrs is not known. Did you mean "headers"?`,
    ]);
    const json = await place.latchkey(["connect", "check", file, "--json"]);
    expect([json.code, JSON.parse(json.out)]).toMatchObject([
      1,
      {
        ok: false,
        faults: expect.arrayContaining([{ file, line: 3, column: 9, message: "shapes must not be empty." }]),
      },
    ]);
  });

  test("says so when there is no such file", async () => {
    const { code, out, err } = await place.latchkey(["connect", "check", join(place.folder, "none.yaml")]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(/^The provider's file .*none\.yaml can't be read: ENOENT/);
  });
});
