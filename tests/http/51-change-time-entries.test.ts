import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { newWorker, told, type Fields } from "../support/worker.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

const worker = () => newWorker(house);

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
    const other = await made({ duration: 1, start: "2026-01-01" });
    const path = `${entries}/${String(id)}`;

    expect((await send("DELETE", path)).status).toBe(200);
    expect((await send("DELETE", `/api/v9/time_entries/${String(other["id"])}`)).status).toBe(200);

    expect(await list()).toEqual([]);
    expect(await current()).toBeNull();
    expect(await list("?since=1772600000")).toMatchObject([
      { id: other["id"] },
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
