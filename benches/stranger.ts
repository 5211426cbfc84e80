// Sends requests on some connections, one after another on each, and tells how long each answer took. A process of its
// own, so that its work is not counted as the server's. `{n}` in a request is a number of its own, and `{network}` an
// IPv6 network of its own.

import { Agent, request } from "node:http";

export type Calls = {
  readonly port: number;
  readonly connections: number;
  readonly milliseconds: number;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds from an answer to the next call. */
  readonly pauseMs?: number;
};

export type Answered = {
  readonly statuses: Readonly<Record<number, number>>;
  readonly took: readonly number[];
};

const call = (calls: Calls, agent: Agent, n: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const network = `2a00:${(n >> 16).toString(16)}:${(n & 0xff_ff).toString(16)}::1`;
    const own = (text: string): string => text.replaceAll("{n}", String(n)).replaceAll("{network}", network);
    const headers = Object.fromEntries(
      Object.entries(calls.headers).map(([name, value]) => [name, own(value)]),
    );
    const sent = request(
      { agent, port: calls.port, method: calls.method, path: calls.path, headers },
      (reply) => {
        reply.resume();
        reply.on("end", () => resolve(reply.statusCode ?? 0));
      },
    );
    sent.on("error", reject);
    sent.end(calls.body === undefined ? undefined : own(calls.body));
  });

const run = async (calls: Calls): Promise<Answered> => {
  const agent = new Agent({ keepAlive: true, maxSockets: calls.connections });
  const until = performance.now() + calls.milliseconds;
  const statuses: Record<number, number> = {};
  const took: number[] = [];
  let n = 0;
  const one = async (): Promise<void> => {
    while (performance.now() < until) {
      const since = performance.now();
      const status = await call(calls, agent, n++);
      took.push(performance.now() - since);
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (calls.pauseMs !== undefined) await new Promise((resolve) => setTimeout(resolve, calls.pauseMs));
    }
  };
  await Promise.all(Array.from({ length: calls.connections }, one));
  agent.destroy();
  return { statuses, took };
};

process.on("message", (calls: Calls) => {
  run(calls).then(
    (answered) => process.send?.(answered),
    (error: unknown) => process.send?.({ failed: String(error) }),
  );
});
