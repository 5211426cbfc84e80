import { isIP } from "node:net";
import { reachOf } from "../../kernel/outbound/address.ts";
import { leadsToThisMachine, nameOfHost, portOf } from "../../kernel/text/host.ts";
import type { ConnectPolicy } from "../deps.ts";
import { invalidBody } from "../wire/input.ts";

type Rules = Pick<ConnectPolicy, "origin" | "outboundAllow">;

const longest = 2048;

const isOurs = (url: URL, origin: URL): boolean => {
  const [name, own] = [nameOfHost(url), nameOfHost(origin)];
  // One machine by any of its names.
  const isSame = name === own || (leadsToThisMachine(name) && leadsToThisMachine(own));
  return portOf(url) === portOf(origin) && isSame;
};

/**
 * Why webhooks may not go to this address, as a sentence without its subject; undefined when they may. Where a name
 * leads is looked at each time something is sent there.
 */
export const webhookAddressIssue = (text: string, { origin, outboundAllow }: Rules): string | undefined => {
  // The parser passes over blanks and control characters, which are no part of a URL.
  const url = /^[^\s\p{C}]+$/u.test(text) ? URL.parse(text) : null;
  if (url === null || text.length > longest) return "must be a URL such as https://app.example.com/hook";
  if (url.protocol !== "https:" && url.protocol !== "http:") return "must be an https URL";
  if (url.username !== "" || url.password !== "") return "must have no user name and no password";
  if (isOurs(url, origin)) return "must not be this server";
  if (outboundAllow.includes(url.origin)) return undefined;
  if (url.protocol === "http:") {
    return "must be an https URL, unless the operator lists its origin in LATCHKEY_OUTBOUND_ALLOW";
  }
  const literal = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const isPrivate = isIP(literal) !== 0 && reachOf(literal) !== "public";
  return isPrivate || leadsToThisMachine(nameOfHost(url))
    ? "must be reachable for anybody, unless the operator lists its origin in LATCHKEY_OUTBOUND_ALLOW"
    : undefined;
};

/**
 * The address of its own that a body gives a connection: null to have none, undefined to leave it as it is.
 * @throws Refusal input_invalid
 */
export const webhookOverrideOf = (given: string | undefined, rules: Rules): string | null | undefined => {
  if (given === undefined || given === "") return given === "" ? null : undefined;
  const issue = webhookAddressIssue(given, rules);
  if (issue !== undefined) throw invalidBody(["webhook_url_override"], issue);
  return given;
};
