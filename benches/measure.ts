// What two servers spend on a request, side by side: they take turns in one run, and the CPU time of each is compared.
// Linux only: the CPU time of a process is read from /proc.

import { fork, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

export const rounds = Number(process.argv[2] ?? 9);
export const sliceMs = 1000;
export const connections = 32;
export const port = 3977;
export const origin = `http://localhost:${port}`;

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

export type Server = {
  readonly port: number;
  readonly process: ChildProcess;
  readonly stop: () => Promise<void>;
};

const ended = async (child: ChildProcess): Promise<void> => {
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  await exit;
};

/** One of the servers beside this file, which tells its port once it knows what to do. */
export const startOther = async (name: string, order: object): Promise<Server> => {
  const child = fork(fileOf(name));
  child.send(order);
  const reply = await replyOf(child);
  if (typeof reply["port"] !== "number") throw new Error(`${name} has no port`);
  return { port: reply["port"], process: child, stop: () => ended(child) };
};

/** The limits stay on; only their numbers are out of the way. */
const roomy = {
  LATCHKEY_RATE: "1000000",
  LATCHKEY_BURST: "1000000",
  LATCHKEY_QUOTA: "1000000000",
  LATCHKEY_SIGN_UPS: "1000000",
};

/** Ours, as `npm start` has it. */
export const startOurs = async (
  folder: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Server> => {
  const child = spawn(process.execPath, [fileOf("../src/main.ts")], {
    env: { LATCHKEY_DATA: folder, LATCHKEY_PORT: String(port), ...roomy, ...settings },
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return { port, process: child, stop: () => ended(child) };
};

export type Load = { readonly process: ChildProcess; readonly stop: () => Promise<void> };

export const startLoad = (): Load => {
  const child = fork(fileOf("./load.ts"));
  return { process: child, stop: () => ended(child) };
};

/** A server, and the whole requests that it gets in turn. */
export type Side = { readonly server: Server; readonly requests: readonly string[] };

/** @returns seconds of CPU a request */
const slice = async (load: Load, { server, requests }: Side, milliseconds: number): Promise<number> => {
  const before = await cpuOf(pidOf(server.process));
  load.process.send({ port: server.port, connections, requests, milliseconds });
  const { answered, failed } = await replyOf(load.process);
  if (typeof answered !== "number") throw new Error(String(failed));
  return ((await cpuOf(pidOf(server.process))) - before) / answered;
};

export type Costs = {
  /** What the other spends divided by what ours spends. */
  readonly ratio: number;
  readonly range: string;
  /** Microseconds of CPU a request. */
  readonly ours: number;
  readonly other: number;
};

/** Lets both work in turn, second by second. */
export const compare = async (load: Load, ours: Side, other: Side): Promise<Costs> => {
  await slice(load, ours, sliceMs * 2);
  await slice(load, other, sliceMs * 2);
  const pairs: { readonly ours: number; readonly other: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    pairs.push({ ours: await slice(load, ours, sliceMs), other: await slice(load, other, sliceMs) });
  }
  const ratios = pairs.map((pair) => pair.other / pair.ours).toSorted((a, b) => a - b);
  return {
    ratio: median(ratios),
    range: `${ratios[0]?.toFixed(2)}–${ratios.at(-1)?.toFixed(2)}`,
    ours: median(pairs.map((pair) => pair.ours)) * 1e6,
    other: median(pairs.map((pair) => pair.other)) * 1e6,
  };
};

export const say = (line: string): void => void process.stdout.write(`${line}\n`);
