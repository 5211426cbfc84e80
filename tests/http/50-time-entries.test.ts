import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import type { Reply } from "../support/http.ts";
import { fieldsOf, listOf } from "../support/shapes.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

type Fields = Readonly<Record<string, unknown>>;

/** Somebody with a workspace, and how they ask. */
const worker = async (person?: Person) => {
  const who = person ?? (await house.person());
  const { session } = who;
  const me = fieldsOf((await house.send("GET", "/api/v9/me", { session })).json());
  const workspace = Number(me["default_workspace_id"]);
  const entries = `/api/v9/workspaces/${workspace}/time_entries`;
  const send = (method: string, path: string, json?: unknown): Promise<Reply> =>
    house.send(method, path, { session, ...(json === undefined ? {} : { json }) });
  const make = (fields: Fields = {}): Promise<Reply> =>
    send("POST", entries, { created_with: "tests", start: "2026-03-04T04:00:00Z", ...fields });
  const made = async (fields: Fields = {}): Promise<Fields> => {
    const reply = await make(fields);
    expect([reply.status, reply.text]).toEqual([200, expect.any(String)]);
    return fieldsOf(reply.json());
  };
  const list = async (query = ""): Promise<readonly Fields[]> => {
    const reply = await send("GET", `/api/v9/me/time_entries${query}`);
    expect(reply.status, reply.text).toBe(200);
    return listOf(reply.json()).map(fieldsOf);
  };
  const current = async (): Promise<unknown> => (await send("GET", "/api/v9/me/time_entries/current")).json();
  return { me, workspace, entries, send, make, made, list, current };
};

const told = ({ status, text }: Reply): readonly unknown[] => [status, JSON.parse(text)];

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

describe("changing and deleting", () => {
  test("changes what is given, and nothing else; what a client can't write is ignored", async () => {
    const { made, send, entries } = await worker();
    const { id } = await made({ duration: 60, description: "before", tags: ["a"] });

    const reply = await send("PUT", `${entries}/${String(id)}`, {
      id: 7,
      user_id: 7,
      at: "never",
      description: "after",
      billable: true,
    });

    expect(reply.json()).toMatchObject({
      id,
      description: "after",
      billable: true,
      tags: ["a"],
      duration: 60,
      start: "2026-03-04T04:00:00Z",
    });
  });

  test("takes back the whole entry as it was read", async () => {
    const { made, list, send } = await worker();
    const { id } = await made({ duration: -1, description: "running", tags: ["a"] });
    const [before] = await list();

    const reply = await send("PUT", `/api/v9/time_entries/${String(id)}`, before);

    expect(reply.status).toBe(200);
    expect((await list())[0]).toEqual(before);
  });

  test.for<readonly [Fields, Fields]>([
    [{ start: "2026-03-04T04:00:30Z" }, { stop: "2026-03-04T04:01:00Z", duration: 30 }],
    [{ duration: 120 }, { stop: "2026-03-04T04:02:00Z", duration: 120 }],
    [{ stop: "2026-03-04T05:00:00Z" }, { duration: 3600 }],
    [{ duration: -1 }, { stop: null, duration: -1772596800 }],
  ])("keeps stop = start + duration: %o", async ([change, wanted]) => {
    const { made, send, entries } = await worker();
    const { id } = await made({ duration: 60 });

    expect((await send("PUT", `${entries}/${String(id)}`, change)).json()).toMatchObject(wanted);
  });

  test.for<readonly [string | undefined, readonly string[]]>([
    ["add", ["a", "b", "c"]],
    ["delete", ["a"]],
    ["remove", ["a"]],
    [undefined, ["b", "c"]],
  ])("tags by %s", async ([action, wanted]) => {
    const { made, send, entries } = await worker();
    const { id } = await made({ duration: 1, tags: ["a", "b"] });

    const change = { tags: ["b", "c"], ...(action === undefined ? {} : { tag_action: action }) };
    expect((await send("PUT", `${entries}/${String(id)}`, change)).json()).toMatchObject({ tags: wanted });
  });

  test("a deleted entry is gone, but for who asks what has changed", async () => {
    const { made, list, send, entries, current } = await worker();
    const { id } = await made({ duration: -1 });
    const path = `${entries}/${String(id)}`;

    expect((await send("DELETE", path)).status).toBe(200);

    expect(await list()).toEqual([]);
    expect(await current()).toBeNull();
    expect(await list("?since=1772600000")).toMatchObject([
      { id, server_deleted_at: "2026-03-04T05:06:07+00:00" },
    ]);
    expect(told(await send("DELETE", path))).toEqual([404, "Time entry not found"]);
    expect((await send("PUT", path, { description: "x" })).status).toBe(404);
    expect((await send("GET", `/api/v9/me/time_entries/${String(id)}`)).status).toBe(404);
  });

  test("nothing of somebody else's is there", async () => {
    const ada = await worker();
    const eve = await worker();
    const { id } = await ada.made({ duration: -1 });
    const own = `${ada.entries}/${String(id)}`;
    const across = `${eve.entries}/${String(id)}`;

    for (const [method, path, body] of [
      ["GET", `/api/v9/me/time_entries/${String(id)}`, undefined],
      ["PUT", own, { description: "x" }],
      ["PUT", across, { description: "x" }],
      ["PUT", `/api/v9/time_entries/${String(id)}`, { description: "x" }],
      ["PATCH", `${own}/stop`, undefined],
      ["DELETE", across, undefined],
      ["POST", ada.entries, { created_with: "tests", start: "2026-03-04T04:00:00Z" }],
    ] as const) {
      expect((await eve.send(method, path, body)).status, `${method} ${path}`).toBe(404);
    }
    expect((await ada.send("PUT", across, { description: "x" })).status).toBe(404);
    expect(await ada.current()).toMatchObject({ id });
  });
});

describe("the list of entries", () => {
  test("goes back nine days, and has nothing of the future", async () => {
    const { made, list } = await worker();
    for (const start of [
      "2026-02-23T05:06:06Z",
      "2026-02-23T05:06:08Z",
      "2026-03-04T05:00:00Z",
      "2026-03-05",
    ]) {
      await made({ start, duration: 1, description: start });
    }

    expect((await list()).map(({ description }) => description)).toEqual([
      "2026-03-04T05:00:00Z",
      "2026-02-23T05:06:08Z",
    ]);
  });

  test.for<readonly [string, readonly string[]]>([
    ["?start_date=2026-03-01&end_date=2026-03-02", ["first"]],
    ["?start_date=2026-03-01&end_date=2026-03-03", ["second", "first"]],
    ["?start_date=2026-03-01T12:00:00%2B00:00&end_date=2026-03-03T00:00:00Z", ["second"]],
    ["?start_date=2026-03-02T01:00:00+01:00&end_date=2026-03-03", ["second"]],
    ["?before=2026-03-02", ["first"]],
    ["?since=0", ["second", "first"]],
    ["?since=4000000000", []],
  ])("of %s", async ([query, wanted]) => {
    const { made, list } = await worker();
    await made({ start: "2026-03-01T10:00:00Z", duration: 1, description: "first" });
    await made({ start: "2026-03-02T10:00:00Z", duration: 1, description: "second" });

    expect((await list(query)).map(({ description }) => description)).toEqual(wanted);
  });

  test.for<readonly [string, string]>([
    ["?since=1&before=2026-01-01", "'since' and 'before' can not be present simultaneously"],
    ["?start_date=2026-01-01", "start_date and end_date go together"],
    ["?end_date=2026-01-01", "start_date and end_date go together"],
    ["?start_date=soon&end_date=2026-01-01", "Invalid start_date"],
    ["?since=yesterday", "Invalid since"],
    ["?before=2026-13-01", "Invalid before"],
  ])("refuses %s", async ([query, sentence]) => {
    const { send } = await worker();

    expect(told(await send("GET", `/api/v9/me/time_entries${query}`))).toEqual([400, sentence]);
  });

  test("has names with meta=true", async () => {
    const { made, list, me } = await worker();
    await made({ duration: 1 });

    expect((await list("?meta=true"))[0]).toMatchObject({
      client_name: null,
      project_name: null,
      user_name: me["fullname"],
      user_avatar_url: me["image_url"],
    });
  });
});
