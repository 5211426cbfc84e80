import { afterEach, describe, expect, test } from "vitest";
import { leavePlaces, newPlace } from "../support/command.ts";

afterEach(leavePlaces);

describe("latchkey serve", () => {
  test("says where it is, where mail goes and what to do next, and nothing else", async () => {
    const place = await newPlace();
    const server = await place.serve();

    expect(server.banner.split("\n")).toEqual([
      `Latchkey is at http://localhost:${place.settings["LATCHKEY_PORT"]}`,
      `Mail is written to ${place.folder}/outbox`,
      expect.stringMatching(/^Next: /),
      "",
    ]);
    expect((await server.send("GET", "/healthz")).json()).toEqual({ status: "ok" });
  });

  test.each(["SIGTERM", "SIGINT"] as const)(
    "%s ends it with 0, and the store can be used at once",
    async (signal) => {
      const place = await newPlace();
      const server = await place.serve();

      expect(await server.end(signal)).toBe(0);
      expect(await (await place.serve()).end(signal)).toBe(0);
    },
  );

  test("a port in use is one sentence and 1", async () => {
    const place = await newPlace();
    await place.serve();
    const port = place.settings["LATCHKEY_PORT"];

    expect(await place.latchkeyProcess(["serve"])).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringMatching(new RegExp(`^Port ${port} on 127\\.0\\.0\\.1 is in use: [^\\n]+\\n$`)),
    });
  });
});
