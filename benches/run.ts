// What the checks cost, as ratios: our server and a bare node:http server that answers the same bytes take turns in one
// run, and the CPU time that each spends on a request is compared. Absolute figures depend on the machine; these don't.
// Linux only: the CPU time of a process is read from /proc.

import { fork, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const rounds = Number(process.argv[2] ?? 9);
const sliceMs = 1000;
const connections = 32;
const people = 50;
const port = 3977;
const origin = `http://localhost:${port}`;
const password = "a quiet river at noon";

const fileOf = (name: string): string => fileURLToPath(import.meta.resolve(name));
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** Seconds of CPU, user and system, that a process has spent. */
const cpuOf = async (pid: number): Promise<number> => {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const [, , , , , , , , , , , user = "0", system = "0"] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(user) + Number(system)) / 100;
};

const pidOf = (child: ChildProcess): number => {
  if (child.pid === undefined) throw new Error("A process did not start");
  return child.pid;
};

const replyOf = async (child: ChildProcess): Promise<Readonly<Record<string, unknown>>> => {
  const [message]: unknown[] = await once(child, "message");
  if (typeof message !== "object" || message === null) throw new Error("An unexpected message");
  return { ...message };
};

const startOurs = async (folder: string): Promise<ChildProcess> => {
  const server = spawn(process.execPath, [fileOf("../src/main.ts")], {
    env: {
      LATCHKEY_DATA: folder,
      LATCHKEY_PORT: String(port),
      // The limits stay on; only their numbers are out of the way.
      LATCHKEY_RATE: "1000000",
      LATCHKEY_BURST: "1000000",
      LATCHKEY_QUOTA: "1000000000",
      LATCHKEY_SIGN_UPS: "1000000",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(server.stdout, "data");
  return server;
};

type Person = { readonly email: string; readonly cookie: string; readonly token: string };

const signUp = async (index: number): Promise<Person> => {
  const email = `person${index}@example.com`;
  const reply = await fetch(`${origin}/api/signup`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email, password, tos_accepted_for: "track" }),
  });
  const cookie = reply.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const me: unknown = await (await fetch(`${origin}/api/v9/me`, { headers: { cookie } })).json();
  if (typeof me !== "object" || me === null || !("api_token" in me)) throw new Error("No token");
  return { email, cookie, token: String(me.api_token) };
};

const basic = (user: string, secret: string): string => `Authorization: Basic ${btoa(`${user}:${secret}`)}`;

const path = "/api/v9/me";
const checks = {
  "API token": (person: Person) => basic(person.token, "api_token"),
  "session cookie": (person: Person) => `Cookie: ${person.cookie}`,
  "Basic e-mail and password, repeated": (person: Person) => basic(person.email, password),
} as const;

const slice = async (
  load: ChildProcess,
  server: ChildProcess,
  to: number,
  requests: readonly string[],
  milliseconds: number,
) => {
  const before = await cpuOf(pidOf(server));
  load.send({ port: to, connections, requests, milliseconds });
  const { answered, failed } = await replyOf(load);
  if (typeof answered !== "number") throw new Error(String(failed));
  return {
    perSecond: (answered / milliseconds) * 1000,
    cpu: ((await cpuOf(pidOf(server))) - before) / answered,
  };
};

const compare = async (
  name: string,
  requests: readonly string[],
  ours: ChildProcess,
  load: ChildProcess,
): Promise<void> => {
  const sample = await fetch(`${origin}${path}`, {
    headers: Object.fromEntries([(requests[0] ?? "").split("\r\n")[2]?.split(": ") ?? []]),
  });
  const body = await sample.text();
  const headers = Object.fromEntries(
    [...sample.headers].filter(([key]) => !["date", "connection", "keep-alive"].includes(key)),
  );
  const bare = fork(fileOf("./bare-server.ts"));
  try {
    bare.send({ headers, body });
    const { port: barePort } = await replyOf(bare);
    if (typeof barePort !== "number") throw new Error("The bare server has no port");
    await slice(load, ours, port, requests, sliceMs * 2);
    await slice(load, bare, barePort, requests, sliceMs * 2);
    const ratios: number[] = [];
    const costs: { ours: number; bare: number }[] = [];
    for (let round = 0; round < rounds; round++) {
      const one = await slice(load, ours, port, requests, sliceMs);
      const other = await slice(load, bare, barePort, requests, sliceMs);
      ratios.push(other.cpu / one.cpu);
      costs.push({ ours: one.cpu * 1e6, bare: other.cpu * 1e6 });
    }
    const us = (key: "ours" | "bare"): string => median(costs.map((cost) => cost[key])).toFixed(1);
    const sorted = ratios.toSorted((a, b) => a - b);
    process.stdout.write(
      `| ${name} | ${median(ratios).toFixed(2)} | ${sorted[0]?.toFixed(2)}–${sorted.at(-1)?.toFixed(2)} | ${us("ours")} | ${us("bare")} |\n`,
    );
  } finally {
    bare.kill();
    await once(bare, "exit");
  }
};

const folder = await mkdtemp(join(tmpdir(), "latchkey-bench-"));
const ours = await startOurs(folder);
const load = fork(fileOf("./load.ts"));
try {
  const crowd: Person[] = [];
  for (let index = 0; index < people; index++) crowd.push(await signUp(index));
  process.stdout.write(
    `GET ${path}, ${connections} connections, ${people} people in turn, ${rounds} rounds of ${sliceMs} ms each; Node ${process.version}\n\n` +
      "| credential | CPU ratio to bare node:http (median) | range | ours, CPU µs a request | bare |\n| --- | --- | --- | --- | --- |\n",
  );
  for (const [name, header] of Object.entries(checks)) {
    const requests = crowd.map(
      (person) => `GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\n${header(person)}\r\n\r\n`,
    );
    await compare(name, requests, ours, load);
  }
} finally {
  load.kill();
  ours.kill("SIGTERM");
  await once(ours, "exit");
  await rm(folder, { recursive: true, force: true });
}
