import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { auditOf, leavePlaces, newPlace, type Place } from "../support/command.ts";
import { usedPlace } from "../support/doctor.ts";

let place: Place;
beforeAll(async () => {
  place = await usedPlace();
});
afterAll(leavePlaces);

const rootKeys = (...args: string[]) => place.latchkey(["root-keys", ...args]);

const Status = z.strictObject({
  keys: z.array(
    z.strictObject({
      id: z.string(),
      role: z.string(),
      values: z.number(),
      places: z.record(z.string(), z.number()),
    }),
  ),
  settled: z.boolean(),
  root_keys_from: z.string(),
});

const statusNow = async () => Status.parse(JSON.parse((await rootKeys("status", "--json")).out));

const namesInFile = async () =>
  (await readFile(join(place.folder, "root.keys"), "utf8")).match(/^[^#:\s]+(?=:)/gm);

describe("latchkey root-keys", () => {
  test("rotates, tells what leans on which key, and removes the old one", async () => {
    const path = join(place.folder, "root.keys");
    const { keys } = await statusNow();
    const [first] = keys;
    const old = first?.id ?? "";
    expect(keys).toEqual([
      {
        id: old,
        role: "seals",
        values: 4,
        places: { "api_tokens.sealed": 1, "integrations.sealed_config": 1, "server_secrets.sealed": 2 },
      },
    ]);

    const rotated = await rootKeys("rotate");
    expect(rotated.code).toBe(0);
    expect(rotated.out).toMatch(/^root-\d{4}-\d\d-\d\d(-2)?\n$/);
    const id = rotated.out.trim();
    expect(rotated.err).toContain("; 4 data keys were wrapped anew.\n");
    expect(rotated.err).toContain(`latchkey root-keys remove ${old}\n`);
    expect(await namesInFile()).toEqual([old, id]);

    const told = await rootKeys("status");
    expect(told.code).toBe(0);
    expect(told.out).toMatch(new RegExp(`^ROOT KEY +ROLE +VALUES\n${old} +opens +0\n${id} +seals +4\n$`));
    expect(told.err).toBe(
      `The root keys are looked for in ${path}.\nNothing leans on ${old} any more: latchkey root-keys remove ${old}\n`,
    );
    const seals = await rootKeys("remove", id);
    expect(seals).toMatchObject({ code: 1, out: "" });
    expect(seals.err).toBe(`${id} is the root key that seals: rotate to another one first.\n`);

    const removed = await rootKeys("remove", old, "--json");
    expect(JSON.parse(removed.out)).toEqual({ id: old, removed: true, dropped: true, forgotten: true });
    expect(await namesInFile()).toEqual([id]);
    expect((await statusNow()).keys).toMatchObject([{ id, role: "seals", values: 4 }]);
    expect((await rootKeys("remove", old)).err).toContain(`${old} had been removed before.\n`);
    expect((await rootKeys("remove", "nobody")).err).toBe(
      `The store knows no root key of that id; it has ${id}.\n`,
    );
    expect(
      (await auditOf(place)).map(({ event }) => event).filter((event) => /root_key/.test(event)),
    ).toEqual(["root_key_rotated", "root_key_removed"]);
  });

  test("wants the id of the key to remove, and a store to rotate", async () => {
    expect(await rootKeys("remove")).toMatchObject({ code: 2, out: "" });
    const empty = await newPlace();
    for (const how of ["status", "rotate"]) {
      expect(await empty.latchkey(["root-keys", how])).toMatchObject({ code: 1, out: "" });
    }
  });
});
