import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { fieldsOf } from "../support/shapes.ts";
import { newWorker, told, type Fields } from "../support/worker.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

const worker = () => newWorker(house);

const fields = [
  "id",
  "workspace_id",
  "project_id",
  "task_id",
  "billable",
  "start",
  "stop",
  "duration",
  "description",
  "tags",
  "tag_ids",
  "duronly",
  "at",
  "server_deleted_at",
  "user_id",
  "uid",
  "wid",
];

describe("making a time entry", () => {
  test("answers with the recorded fields in their order: nulls for what it lacks, times with Z", async () => {
    const { me, workspace, made } = await worker();

    const entry = await made({ start: "2026-03-04T05:00:00.750+01:00", duration: 90 });

    expect(Object.keys(entry)).toEqual(fields);
    expect(entry).toEqual({
      id: expect.any(Number),
      workspace_id: workspace,
      project_id: null,
      task_id: null,
      billable: false,
      start: "2026-03-04T04:00:00Z",
      stop: "2026-03-04T04:01:30Z",
      duration: 90,
      description: null,
      tags: null,
      tag_ids: null,
      duronly: true,
      at: "2026-03-04T05:06:07Z",
      server_deleted_at: null,
      user_id: me["id"],
      uid: me["id"],
      wid: workspace,
    });
  });

  test("is read afterwards with offsets and empty lists, by its number without the older names", async () => {
    const { made, list, send } = await worker();
    const { id } = await made({ duration: 90 });

    const [read] = await list();
    const alone = fieldsOf((await send("GET", `/api/v9/me/time_entries/${String(id)}`)).json());

    expect(read).toMatchObject({
      id,
      start: "2026-03-04T04:00:00+00:00",
      stop: "2026-03-04T04:01:30+00:00",
      description: "",
      tags: [],
      tag_ids: [],
    });
    expect(Object.keys(read ?? {})).toEqual(fields);
    expect(Object.keys(alone)).toEqual(fields.filter((name) => name !== "uid" && name !== "wid"));
  });

  test.for<readonly [string, Fields, Fields]>([
    ["a stop", { stop: "2026-03-04T04:10:00Z" }, { duration: 600, stop: "2026-03-04T04:10:00Z" }],
    ["stop before duration", { stop: "2026-03-04T04:10:00Z", duration: 5 }, { duration: 600 }],
    ["neither stop nor duration", {}, { duration: 0, stop: null }],
    ["no time at all", { duration: 0 }, { duration: 0, stop: "2026-03-04T04:00:00Z" }],
    ["a duration of -1", { duration: -1 }, { duration: -1772596800, stop: null }],
    ["a negative unix start", { duration: -1772596800 }, { duration: -1772596800, stop: null }],
    ["names of another time", { wid: 1, duration: 1 }, { duration: 1 }],
  ])("takes %s", async ([, given, wanted]) => {
    const { made } = await worker();

    expect(await made(given)).toMatchObject(wanted);
  });

  test.for<readonly [string, Fields, string]>([
    ["no created_with", { created_with: undefined }, "created_with needs to be provided"],
    ["no start", { start: undefined }, "start must be a time, such as 2026-11-30T09:00:00Z"],
    ["a start that is no time", { start: "yesterday" }, "start must be a time, such as 2026-11-30T09:00:00Z"],
    [
      "a day that no calendar has",
      { start: "2026-02-30" },
      "start must be a time, such as 2026-11-30T09:00:00Z",
    ],
    [
      "a start before there was a Toggl",
      { start: "1999-01-01" },
      "start must be between 2006-01-01 and 2100-01-01",
    ],
    ["a stop before the start", { stop: "2026-03-04T03:59:59Z" }, "Stop time must be after start time"],
    ["more than 999 hours", { duration: 999 * 3600 + 1 }, "Duration must be at most 999 hours"],
    [
      "a stop of what is to run",
      { stop: "2026-03-04T04:10:00Z", duration: -1 },
      "An entry with a stop must not have a negative duration",
    ],
    ["a description that is no text", { description: 7 }, "description must be a string"],
    ["a long description", { description: "d".repeat(3001) }, "Description must be at most 3000 characters"],
    ["a task", { task_id: 5, duration: 1 }, "Task with the ID 5 isn't present in this workspace"],
    [
      "tags of nowhere",
      { tag_ids: [999_999], duration: 1 },
      "Tag with the ID 999999 isn't present in this workspace",
    ],
  ])("refuses %s", async ([, given, sentence]) => {
    const { make, list } = await worker();

    expect(told(await make(given))).toEqual([400, sentence]);
    expect(await list()).toEqual([]);
  });

  test("makes tags that are named, once", async () => {
    const { made, list } = await worker();

    const one = await made({ duration: 1, tags: ["deep", "deep ", "calls", ""] });
    const other = await made({ duration: 1, tags: ["calls"], tag_ids: one["tag_ids"] });

    expect(one["tags"]).toEqual(["calls", "deep"]);
    expect(other["tag_ids"]).toEqual(one["tag_ids"]);
    expect((await list()).map(({ tags }) => tags)).toEqual([
      ["calls", "deep"],
      ["calls", "deep"],
    ]);
  });

  test("takes the workspace from the body where the path has none", async () => {
    const { send, workspace } = await worker();
    const body = { created_with: "tests", start: "2026-03-04T04:00:00Z", duration: 1 };

    expect((await send("POST", "/api/v9/time_entries", { ...body, wid: workspace })).status).toBe(200);
    expect((await send("POST", "/api/v9/time_entries", { ...body, workspace_id: workspace })).status).toBe(
      200,
    );
    expect(told(await send("POST", "/api/v9/time_entries", body))).toEqual([
      400,
      "workspace_id needs to be provided",
    ]);
  });
});

describe("the entry that runs", () => {
  test("is null, then the one that was started, then null again", async () => {
    const { made, current, send, entries } = await worker();

    expect(await current()).toBeNull();
    const { id } = await made({ duration: -1, start: "2026-03-04T05:00:00Z", description: "writing" });
    expect(await current()).toMatchObject({ id, description: "writing", stop: null, duration: -1772600400 });

    const stopped = await send("PATCH", `${entries}/${String(id)}/stop`);
    expect([stopped.status, stopped.json()]).toEqual([
      200,
      expect.objectContaining({ id, stop: "2026-03-04T05:06:07Z", duration: 367, tags: [] }),
    ]);
    expect(await current()).toBeNull();
    expect(told(await send("PATCH", `${entries}/${String(id)}/stop`))).toEqual([
      409,
      "Time entry already stopped",
    ]);
  });

  test("ends where the next one begins", async () => {
    const { made, current, list } = await worker();
    const first = await made({ duration: -1, start: "2026-03-04T04:00:00Z" });

    const second = await made({ duration: -1, start: "2026-03-04T04:30:00Z" });

    expect(await current()).toMatchObject({ id: second["id"] });
    expect((await list()).find(({ id }) => id === first["id"])).toMatchObject({
      stop: "2026-03-04T04:30:00+00:00",
      duration: 1800,
    });
  });

  test("is one, however many are started at once", async () => {
    const { make, list } = await worker();

    const replies = await Promise.all(Array.from({ length: 12 }, () => make({ duration: -1 })));

    expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 200));
    expect((await list()).filter(({ duration }) => Number(duration) < 0)).toHaveLength(1);
  });
});
