import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startNameServer } from "../../../tests/support/name-server.ts";
import { systemClock } from "../clock.ts";
import { createHostsFile } from "./hosts-file.ts";
import { createNames } from "./names.ts";

const start = async () => {
  const server = await startNameServer();
  onTestFinished(() => server.stop());
  const names = createNames({ nameServers: [server.address], clock: systemClock });
  const ask = (host: string, isListed: boolean): Promise<unknown> =>
    names(host, { isListed }).catch((error: unknown) =>
      error instanceof Error && "code" in error ? error.code : error,
    );
  return { server, ask };
};

/** It is no name that a name server could know; systems take it for one of theirs. */
const ofSystem = "127.1";

test("A name that only the system knows leads somewhere when the operator listed it, and else nowhere", async () => {
  const { server, ask } = await start();
  expect(await ask(ofSystem, true)).toEqual(["127.0.0.1"]);
  expect(server.asked.some(({ name }) => name === ofSystem)).toBe(true);
  const other = await start();
  expect(await other.ask(ofSystem, false)).toBe("ENOTFOUND");
});

test("What the name servers know is not asked of the system", async () => {
  const { server, ask } = await start();
  server.has(ofSystem, { addresses: ["8.8.8.8"] });
  expect(await ask(ofSystem, true)).toEqual(["8.8.8.8"]);
});

test("This machine's own name is no question for name servers", async () => {
  const { server, ask } = await start();
  for (const host of ["localhost", "app.localhost"]) {
    expect(await ask(host, true)).toEqual(expect.arrayContaining(["127.0.0.1"]));
  }
  expect(server.asked).toEqual([]);
});

test("The hosts file is read as it is written, and again when it was changed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-hosts-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "hosts");
  const hosts = createHostsFile(path);
  expect(hosts("api.test")).toBeUndefined();

  await writeFile(
    path,
    "# 9.9.9.9 api.test\n 8.8.8.8\tAPI.test  other.test # third.test\r\n2606:4700::1 api.test\nnonsense api.test\nfe80::1%lo0 api.test\n",
  );
  expect(hosts("api.test")).toEqual(["8.8.8.8", "2606:4700::1"]);
  expect(hosts("other.test")).toEqual(["8.8.8.8"]);
  expect(hosts("third.test")).toBeUndefined();
  expect(hosts("localhost")).toEqual(["127.0.0.1", "::1"]);

  await writeFile(path, "8.8.4.4 api.test localhost");
  expect(hosts("api.test")).toEqual(["8.8.4.4"]);
  expect(hosts("other.test")).toBeUndefined();
  expect(hosts("localhost")).toEqual(["8.8.4.4"]);
});
