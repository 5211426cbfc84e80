// curl as a person types it. The machine's own when there is one; and our reading of the few options that the
// documentation uses, so that a machine without curl runs the same snippets.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { basicHeader, createClient } from "./http.ts";

/** Runs `curl …` and gives what it prints on standard output. */
export type Curl = (args: readonly string[]) => Promise<string>;

const run = promisify(execFile);

const machineCurl: Curl = async (args) => {
  // -q: not the settings of whoever runs the tests; loopback needs no proxy.
  const { stdout } = await run("curl", ["-q", "-sS", "--noproxy", "*", "--max-time", "20", ...args]);
  return stdout;
};

type Asked = {
  url: URL | undefined;
  method: string | undefined;
  body: string | undefined;
  showHead: boolean;
  readonly headers: Record<string, string>;
};

const read = (args: readonly string[]): Asked => {
  const asked: Asked = { url: undefined, method: undefined, body: undefined, showHead: false, headers: {} };
  const rest = args.values();
  const next = (): string => rest.next().value ?? "";
  for (const arg of rest) {
    if (arg === "-i") asked.showHead = true;
    else if (arg === "-X") asked.method = next();
    else if (arg === "-d") asked.body = next();
    else if (arg === "--cookie") asked.headers["cookie"] = next();
    else if (arg === "-u") {
      const pair = next();
      const colon = pair.indexOf(":");
      asked.headers["authorization"] = basicHeader(pair.slice(0, colon), pair.slice(colon + 1));
    } else if (arg === "-H") {
      const [name = "", value = ""] = next().split(": ");
      asked.headers[name.toLowerCase()] = value;
    } else if (arg.startsWith("-")) throw new Error(`Our curl does not know ${arg}`);
    else asked.url = new URL(arg);
  }
  return asked;
};

const ourCurl: Curl = async (args) => {
  const { url, method, body, showHead, headers } = read(args);
  if (!url) throw new Error("curl: no URL specified");
  const client = createClient(Number(url.port), url.host);
  const form = body === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" };
  try {
    const reply = await client.send(
      method ?? (body === undefined ? "GET" : "POST"),
      `${url.pathname}${url.search}`,
      {
        headers: { accept: "*/*", "user-agent": "curl/8.0.0", ...form, ...headers },
        body,
      },
    );
    if (!showHead) return reply.text;
    const lines = Object.entries(reply.headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((one) => `${name}: ${one}`),
    );
    return [`HTTP/1.1 ${reply.status}`, ...lines, "", reply.text].join("\r\n");
  } finally {
    client.close();
  }
};

const hasCurl = await run("curl", ["--version"]).then(
  () => true,
  () => false,
);

/** Every curl that can be had here. */
export const curls: readonly (readonly [string, Curl])[] = [
  ...(hasCurl ? ([["the machine's curl", machineCurl]] as const) : []),
  ["our reading of curl", ourCurl],
];

/** The words of a command line, as a POSIX shell splits them: quotes, and a backslash at the end of a line. */
export const shellWords = (line: string): readonly string[] =>
  [...line.replaceAll("\\\n", " ").matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) =>
    word.replaceAll(
      /'([^']*)'|"([^"]*)"/g,
      (_quoted, single: string | undefined, double: string | undefined) => single ?? double ?? "",
    ),
  );
