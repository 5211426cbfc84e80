import { Refusal } from "../../kernel/errors.ts";
import { inProcess } from "../catalogue/model/provider.ts";
import { originOf, urlBehind } from "../catalogue/request-parts.ts";
import type { ReadyConnection } from "./credential-cache.ts";
import type { KeyHolder } from "../model/environment.ts";
import { behindProxy, type Asked } from "./asked.ts";
import { refusals } from "../model/refusals.ts";

/** Where a call goes, and whether this connection's credentials may go there. */

export type Target = {
  readonly url: URL;
  /** Path and query as they go out: as they were sent, wherever that means the same. */
  readonly path: string;
  /** It is not where the credentials were accepted. */
  readonly elsewhere: boolean;
};

const listing = "This key may not read credentials (environment:connections:read_credentials), so";

const failing = ({ state, stateReason }: Pick<ReadyConnection, "state" | "stateReason">, text?: string) =>
  new Refusal(refusals.connection_failing, {
    ...(text === undefined ? {} : { text }),
    payload: { state, state_reason: stateReason },
  });

/** @throws Refusal connection_failing */
const refuseUnusable = (connection: ReadyConnection, mayRead: boolean): void => {
  const { state, stateReason } = connection;
  if (state === "live") return;
  if (state === "revoked") throw failing(connection, "This connection was revoked: link it anew");
  if (stateReason !== "origin_changed") throw failing(connection);
  if (!mayRead) {
    throw failing(
      connection,
      `The integration's base_url has changed. ${listing} they go only where they were accepted: link the account anew`,
    );
  }
};

const refuseElsewhere = (connection: ReadyConnection, isOverride: boolean): never => {
  if (isOverride) {
    throw new Refusal(refusals.base_url_override_not_allowed, {
      text: `${listing} it can't send them to another origin than ${connection.origin}, which accepted them`,
    });
  }
  refuseUnusable({ ...connection, state: "failing", stateReason: "origin_changed" }, false);
  throw failing(connection);
};

/** What the parser of URLs would take for a step, the end or nothing at all, and change the path by it. */
const changing = /[\\#\s]|(^|\/)(\.|%2e){1,2}($|\/)/i;

const pathAsSent = (base: URL, url: URL, sent: string): string => {
  const [path = ""] = sent.split("?", 1);
  const query = sent.slice(path.length);
  if (changing.test(path) || /[#\s]/.test(query)) return url.pathname + url.search;
  return `${base.pathname.replace(/\/+$/, "")}/${sent}`;
};

const nameOf = (pair: string): string => {
  const [name = ""] = pair.split("=", 1);
  try {
    return decodeURIComponent(name.replaceAll("+", " "));
  } catch {
    return name;
  }
};

/** A caller's parameters of the same names make room for the credentials. */
const withQuery = (path: string, query: ReadyConnection["parts"]["query"]): string => {
  if (query.length === 0) return path;
  const [before = ""] = path.split("?", 1);
  const names = new Set(query.map(([name]) => name));
  const sent = path.slice(before.length + 1).split("&");
  const kept = sent.filter((pair) => pair !== "" && !names.has(nameOf(pair)));
  const ours = query.map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value.toWellFormed())}`,
  );
  return `${before}?${[...kept, ...ours].join("&")}`;
};

/**
 * @param sent the request's target, as it came
 * @throws Refusal address_refused, base_url_override_not_allowed, connection_failing
 */
export const targetOf = (
  {
    ownOrigin,
    holder,
    asked,
  }: { readonly ownOrigin: URL; readonly holder: KeyHolder; readonly asked: Asked },
  connection: ReadyConnection,
  sent: string,
): Target => {
  const mayRead = holder.scopes.has("environment:connections:read_credentials");
  refuseUnusable(connection, mayRead);
  const { provider, parts } = connection;
  const { baseUrlOverride: override } = asked;
  const base = override ?? parts.baseUrl;
  const origin = originOf(base);
  if (origin === ownOrigin.origin) {
    throw new Refusal(override ? refusals.base_url_override_not_allowed : refusals.address_refused, {
      text: `${origin} is this server, and no provider: its own API is called through the provider latchkey`,
    });
  }
  const elsewhere = origin !== connection.origin;
  if (elsewhere && !mayRead) refuseElsewhere(connection, override !== undefined);
  const rest = behindProxy(sent);
  const url = urlBehind(provider, base, rest);
  if (!url) {
    const folders = provider.paths?.join(", ");
    throw new Refusal(refusals.address_refused, {
      text: folders
        ? `This path is not open: ${provider.display_name} is called below ${folders}`
        : "This path leads out of the provider's address",
    });
  }
  const path = base.protocol === inProcess ? url.pathname + url.search : pathAsSent(base, url, rest);
  return { url, path: withQuery(path, parts.query), elsewhere };
};
