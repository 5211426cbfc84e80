// Debian's nginx in front of servers, with connections to them that it keeps.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, constants, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import { isRefused } from "./begun-call.ts";
import { freePort } from "./free-port.ts";

/** For so long it sends nothing to a server that did not answer. */
export const failTimeoutMs = 1000;

const program = "/usr/sbin/nginx";

const isThere = (): Promise<boolean> =>
  access(program, constants.X_OK).then(
    () => true,
    () => false,
  );

const install = async (): Promise<void> => {
  if (await isThere()) return;
  if (process.getuid?.() === 0) {
    await promisify(execFile)("apt-get", ["install", "--yes", "--no-install-recommends", "nginx-light"], {
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    }).catch(() => undefined);
  }
  if (!(await isThere())) throw new Error("This needs nginx: apt-get install nginx-light");
};

const configFor = (port: number, upstreams: readonly number[]): string => `
${process.getuid?.() === 0 ? "user root;" : ""}
daemon off;
pid nginx.pid;
error_log error.log;
worker_processes 1;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  upstream nodes {
${upstreams.map((upstream) => `    server 127.0.0.1:${upstream} fail_timeout=${failTimeoutMs / 1000}s;`).join("\n")}
    keepalive 16;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://nodes;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
    }
  }
}
`;

export type Nginx = { readonly port: number; readonly stop: () => Promise<void> };

/** @throws Error that says what to install */
export const startNginx = async (upstreams: readonly number[]): Promise<Nginx> => {
  await install();
  const folder = await mkdtemp(join(tmpdir(), "latchkey-nginx-"));
  const port = await freePort();
  await writeFile(join(folder, "nginx.conf"), configFor(port, upstreams));
  const child = spawn(program, ["-p", folder, "-c", "nginx.conf", "-e", "error.log"], { stdio: "inherit" });
  const ended = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await ended;
    process.stderr.write(await readFile(join(folder, "error.log"), "utf8"));
    await rm(folder, { recursive: true, force: true });
  };
  await expect.poll(() => isRefused(port)).toBe(false);
  return { port, stop };
};
