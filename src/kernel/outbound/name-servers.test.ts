import { describe, expect, onTestFinished, test } from "vitest";
import { startNameServer, type NameScript } from "../../../tests/support/name-server.ts";
import { askNameServers } from "./name-servers.ts";

const start = async (script: NameScript = {}) => {
  const server = await startNameServer();
  onTestFinished(() => server.stop());
  server.has("api.example.com", script);
  return server;
};

const codeOf = (asking: Promise<unknown>): Promise<unknown> =>
  asking.then(
    (found) => found,
    (error: unknown) => (error instanceof Error && "code" in error ? error.code : error),
  );

const ask = (servers: readonly string[], host = "api.example.com", signal = new AbortController().signal) =>
  codeOf(askNameServers(servers)(host, signal));

describe("A name", () => {
  test("has the addresses of both families", async () => {
    const { address } = await start({ addresses: ["8.8.8.8", "2606:4700::1", "9.9.9.9"] });
    expect(new Set(await askNameServers([address])("api.example.com", new AbortController().signal))).toEqual(
      new Set(["8.8.8.8", "2606:4700::1", "9.9.9.9"]),
    );
  });

  test.each([
    ["IPv6 only", { addresses: ["2606:4700::1"] }, ["2606:4700::1"]],
    ["IPv4 only", { addresses: ["8.8.8.8"] }, ["8.8.8.8"]],
    ["those of another name", { alias: "edge.example.net", addresses: ["8.8.8.8"] }, ["8.8.8.8"]],
    [
      "more than a datagram holds",
      { truncated: true, addresses: Array.from({ length: 200 }, (_, index) => `8.8.4.${index}`) },
      Array.from({ length: 200 }, (_, index) => `8.8.4.${index}`),
    ],
    ["one family, of which alone something is heard", { only: "A", addresses: ["8.8.8.8"] }, ["8.8.8.8"]],
    ["none", {}, "ENODATA"],
    ["none, as there is no such name", { fails: "NXDOMAIN" }, "ENOTFOUND"],
    ["a broken zone", { fails: "SERVFAIL" }, "ESERVFAIL"],
  ] as const)("has %s", async (_, script, found) => {
    const { address } = await start(script);
    expect(await ask([address])).toEqual(found);
  });

  test("is asked for as it is, and of no search domain", async () => {
    const server = await start();
    for (const host of ["intranet", "a.b"]) expect(await ask([server.address], host)).toBe("ENOTFOUND");
    expect(new Set(server.asked.map(({ name }) => name))).toEqual(new Set(["intranet", "a.b"]));
  });

  test.each(["SERVFAIL", "REFUSED"] as const)(
    "that one server answers with %s is asked for at the next one",
    async (fails) => {
      const first = await start({ fails });
      const other = await start({ addresses: ["8.8.8.8"] });
      expect(await ask([first.address, other.address])).toEqual(["8.8.8.8"]);
      expect(await ask([first.address, first.address])).toBe(`E${fails}`);
    },
  );

  test("is asked for no longer when the question is taken back", async () => {
    const server = await start({ fails: "silence" });
    const work = new AbortController();
    const asking = ask([server.address], "api.example.com", work.signal);
    await expect.poll(() => server.asked.length).toBe(2);
    work.abort();
    expect(await asking).toBe("ECANCELLED");
  });

  test.each(["", `${"long".repeat(20)}.example.com`])(
    "that can't be one is asked of nobody: %s",
    async (host) => {
      const server = await start();
      expect(["EBADNAME", "ENOTFOUND", "ENODATA"]).toContain(await ask([server.address], host));
    },
  );
});
