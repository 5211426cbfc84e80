/** The names that the machine's administrator wrote down (hosts(5)), which come before those of name servers. */

import { readFileSync, statSync } from "node:fs";
import { isIP } from "node:net";

/** Undefined for names that it does not have. */
export type HostsFile = (host: string) => readonly string[] | undefined;

/** RFC 6761 §6.3: never a question for name servers. */
const loopback = ["127.0.0.1", "::1"];

const parse = (text: string): ReadonlyMap<string, readonly string[]> => {
  const found = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [address = "", ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    // A zone of this machine (fe80::1%lo0) leads no connection anywhere.
    if (isIP(address) === 0 || address.includes("%")) continue;
    for (const name of names) {
      const key = name.toLowerCase();
      const addresses = found.get(key);
      if (addresses) addresses.push(address);
      else found.set(key, [address]);
    }
  }
  return found;
};

const nothing: ReadonlyMap<string, readonly string[]> = new Map();

/** Read anew when it was changed. One that can't be read is as none. */
export const createHostsFile = (path = "/etc/hosts"): HostsFile => {
  let names = nothing;
  let seen = "";
  const readAnew = (): void => {
    try {
      const { ino, mtimeMs, size } = statSync(path);
      const now = `${ino} ${mtimeMs} ${size}`;
      if (now === seen) return;
      names = parse(readFileSync(path, "utf8"));
      seen = now;
    } catch {
      names = nothing;
      seen = "";
    }
  };
  return (host) => {
    readAnew();
    const found = names.get(host);
    if (found) return found;
    return host === "localhost" || host.endsWith(".localhost") ? loopback : undefined;
  };
};
