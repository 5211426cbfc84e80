import { places } from "#app/pages/places.ts";
import { isIPv6 } from "node:net";
import { signingKeyStatus } from "#accounts";
import { systemClock } from "#kernel/clock.ts";
import type { Config } from "#kernel/config.ts";
import type { Store } from "#kernel/db/store.ts";
import { askAtOrigin, askOwnServer, type OwnReply } from "#kernel/outbound/outbound.ts";
import { isLoopbackHost, portOf } from "#kernel/text/host.ts";
import { fail, ok, warn, type Finding } from "./finding.ts";

/** Whether the address that people type leads to where the server listens. */
export const checkOrigin = ({ origin, host, port, trustedProxies }: Config): Finding => {
  const listens = `the server listens on ${isIPv6(host) ? `[${host}]` : host}:${port}`;
  if (isLoopbackHost(origin.hostname)) {
    if (portOf(origin) === port && origin.protocol === "http:")
      return ok("origin", `People of this machine use ${origin.origin}.`);
    return warn(
      "origin",
      `LATCHKEY_ORIGIN is ${origin.origin}, but ${listens}.`,
      "Set LATCHKEY_ORIGIN to where people reach it, unless something passes calls on from there.",
    );
  }
  if (trustedProxies.length === 0) {
    return warn(
      "origin",
      `People use ${origin.origin} and ${listens}, so a proxy passes calls on; as none is trusted, all of its clients count as one network.`,
      "Set LATCHKEY_TRUSTED_PROXIES to the proxy's address, and let it set X-Forwarded-For.",
    );
  }
  return ok("origin", `People use ${origin.origin}, and ${listens} behind a trusted proxy.`);
};

const isWell = (reply: OwnReply | "refused" | "silent"): boolean =>
  typeof reply === "object" && reply.status === 200 && reply.text.includes('"status":"ok"');

/** Whether a server answers where ours would listen, and whether it is one of this store. */
export const checkServer = async (config: Config, store: Store | undefined): Promise<Finding> => {
  const where = `${config.host} port ${config.port}`;
  const health = await askOwnServer(config, "/healthz");
  if (health === "refused") return ok("server", `None is running on ${where} now.`);
  if (!isWell(health)) {
    return fail(
      "server",
      `Something on ${where} answers that is no Latchkey in good health.`,
      "Stop that program, or set LATCHKEY_PORT to another port.",
    );
  }
  if (!isWell(await askOwnServer(config, "/readyz"))) {
    return fail(
      "server",
      `The server on ${where} runs but can't reach its store.`,
      "See the store check and the server's log.",
    );
  }
  if (!store) return ok("server", `One is running on ${where}.`);
  const published = await askOwnServer(config, "/.well-known/jwks.json");
  const keys = await signingKeyStatus({ store, clock: systemClock });
  if (typeof published === "object" && keys.some(({ publicKey }) => published.text.includes(publicKey))) {
    return ok("server", `One of this store is running on ${where}.`);
  }
  return fail(
    "server",
    `The server on ${where} works on another store than this command.`,
    "Give both the same LATCHKEY_DATA and LATCHKEY_DATABASE_URL; a relative LATCHKEY_DATA depends on the folder they are started in.",
  );
};

/**
 * Whether the address that people type leads to the server here, and whether what stands in between passes on which host
 * they asked for. Nothing when that is where it listens, or when none is running.
 */
export const checkWayIn = async (config: Config): Promise<readonly Finding[]> => {
  const { origin, port } = config;
  if (isLoopbackHost(origin.hostname) && portOf(origin) === port) return [];
  if (!isWell(await askOwnServer(config, "/healthz"))) return [];
  // A page, because those are shown at the right host only.
  const page = await askAtOrigin(origin, places["log-in"].path);
  if (typeof page === "object" && page.status === 421) {
    const [, came = "another host"] = /served here \(([^)]{1,255})\)/.exec(page.text) ?? [];
    return [
      fail(
        "way in",
        `Calls of ${origin.origin} reach the server as calls of ${came}, so nobody can stay signed in.`,
        "Have the proxy in front pass on the client's Host header: in nginx, proxy_set_header Host $http_host; in Apache, ProxyPreserveHost On.",
      ),
    ];
  }
  const ours = await askOwnServer(config, "/.well-known/jwks.json");
  const found = await askAtOrigin(origin, "/.well-known/jwks.json");
  const isSame = typeof ours === "object" && typeof found === "object" && ours.text === found.text;
  if (typeof page === "object" && page.status === 200 && isSame) {
    return [ok("way in", `${origin.origin} leads to this server.`)];
  }
  return [
    warn(
      "way in",
      typeof page === "object"
        ? `${origin.origin} leads to something else than this server.`
        : `${origin.origin} can't be reached from here, or its certificate is not believed here.`,
      "Look at it from outside. If it works there, this machine only can't see it.",
    ),
  ];
};
