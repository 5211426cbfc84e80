import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { createOutbound, OutboundFault, type OutboundDeps } from "./outbound.ts";
import type { Resolve } from "./look-ups.ts";
import { createTargets } from "./target.ts";

const ownOrigin = new URL("https://id.example.com");
const publicAddress = "8.8.8.8";
const anyName: Resolve = async () => [publicAddress];

const kindOf = async (asking: Promise<unknown>): Promise<string> => {
  try {
    await asking;
    return "called";
  } catch (error) {
    if (error instanceof OutboundFault) return error.kind;
    throw error;
  }
};

/** Listens on the loopback addresses of both families, at one port, and counts who comes. */
const startBait = async () => {
  let visits = 0;
  const servers: Server[] = [];
  const listen = async (host: string, port: number): Promise<number> => {
    const server = createServer((socket) => {
      visits += 1;
      socket.destroy();
    });
    servers.push(server);
    server.listen(port, host);
    await once(server, "listening");
    const address = server.address();
    return address === null || typeof address === "string" ? 0 : address.port;
  };
  const port = await listen("127.0.0.1", 0);
  await listen("::1", port);
  onTestFinished(() => servers.forEach((server) => server.close()));
  return { port, visits: () => visits };
};

const open = (deps: Partial<OutboundDeps> = {}) => {
  const outbound = createOutbound({ allow: [], ownOrigin, ...deps });
  onTestFinished(() => outbound.close());
  return outbound;
};

/** Every way to say it that the URL parser knows. */
const spelledLoopback = [
  "127.0.0.1",
  "127.1",
  "127.0.1",
  "0x7f.1",
  "0x7f000001",
  "0177.0.0.1",
  "017700000001",
  "2130706433",
  "127.0.0.1.",
  "127。0。0。1",
  "①②⑦.0.0.1",
  "%31%32%37.0.0.1",
  "127.255.255.254",
  "0.0.0.0",
  "0",
  "[::1]",
  "[0:0:0:0:0:0:0:1]",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[::127.0.0.1]",
  "[64:ff9b::127.0.0.1]",
  "[64:ff9b:1::7f00:1]",
  "[2002:7f00:1::]",
  "[2001:0:7f00:1::]",
  "[::]",
  "localhost",
  "LOCALHOST",
  "localhost.",
  "ｌｏｃａｌｈｏｓｔ",
  "any.localhost",
  "any.localhost.",
];

const others = [
  "10.0.0.1",
  "0xa.1",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.0.1",
  "3232235521",
  "100.64.0.1",
  "169.254.169.254",
  "0xa9fea9fe",
  "2852039166",
  "[::ffff:169.254.169.254]",
  "[64:ff9b::a9fe:a9fe]",
  "100.100.100.200",
  "168.63.129.16",
  "[fd00:ec2::254]",
  "[fd20:ce::254]",
  "192.0.0.192",
  "192.0.2.1",
  "198.18.0.1",
  "198.51.100.1",
  "203.0.113.1",
  "224.0.0.1",
  "239.255.255.250",
  "255.255.255.255",
  "240.0.0.1",
  "[fc00::1]",
  "[fd12:3456::1]",
  "[fe80::1]",
  "[fec0::1]",
  "[ff02::1]",
  "[2001:db8::1]",
  "[2002:0a00:0001::1]",
];

describe("an address that only we can reach is refused, before any packet:", () => {
  test("this machine, however it is spelled, by https and by http", async () => {
    const bait = await startBait();
    const outbound = open({ resolve: anyName });
    for (const host of spelledLoopback) {
      for (const scheme of ["https", "http"]) {
        const url = new URL(`${scheme}://${host}:${bait.port}/`);
        const kind = await kindOf(outbound.call({ method: "GET", url }));
        expect(`${scheme} ${host} ${kind}`).toBe(`${scheme} ${host} address_refused`);
      }
    }
    expect(bait.visits()).toBe(0);
  });

  test.each(others)("https://%s", async (host) => {
    const url = new URL(`https://${host}/`);
    expect(await kindOf(open().call({ method: "GET", url }))).toBe("address_refused");
  });

  test("names that lead to one, also among others", async () => {
    const bait = await startBait();
    const url = new URL(`https://somewhere.test:${bait.port}/`);
    for (const found of [
      ["127.0.0.1"],
      ["::1"],
      ["::ffff:127.0.0.1"],
      [publicAddress, "127.0.0.1"],
      ["127.0.0.1", publicAddress],
      ["2606:4700:4700::1111", publicAddress, "fe80::1%lo"],
      [publicAddress, "not an address"],
    ]) {
      const outbound = open({ resolve: async () => found });
      expect(await kindOf(outbound.call({ method: "GET", url }))).toBe("address_refused");
    }
    expect(bait.visits()).toBe(0);
  });

  test("addresses of this machine's own interfaces, although they are public", async () => {
    const url = new URL("https://somewhere.test/");
    const rules = { allow: [], ownOrigin, resolve: anyName };
    const asNeighbour = createTargets({ ...rules, ownAddresses: () => ["9.9.9.9"] });
    const asOneself = createTargets({ ...rules, ownAddresses: () => [publicAddress] });

    expect(await asNeighbour.addressesOf(url)).toEqual([publicAddress]);
    expect(await kindOf(asOneself.addressesOf(url))).toBe("address_refused");
  });
});

describe("whom we call", () => {
  const targets = (allow: readonly string[] = [], resolve = anyName) =>
    createTargets({ allow, ownOrigin, resolve, ownAddresses: () => [] });
  const asked = (text: string, allow?: readonly string[], resolve = anyName) =>
    kindOf(targets(allow, resolve).addressesOf(new URL(text)));

  test.each([
    "https://api.example.com/",
    "https://api.example.com:8443/",
    "https://8.8.8.8/",
    "https://[2606:4700:4700::1111]/",
    "https://id.example.com.evil.test/",
    "https://myid.example.com/",
    "https://notlocalhost/",
  ])("is %s", async (text) => {
    expect(await asked(text)).toBe("called");
  });

  test.each([
    ["plain http", "http://api.example.com/"],
    ["other schemes", "ftp://api.example.com/"],
    ["files", "file:///etc/passwd"],
    ["data", "data:text/plain,hello"],
    ["a user name", "https://user@api.example.com/"],
    ["a password", "https://:secret@api.example.com/"],
    ["our own origin", "https://id.example.com/"],
    ["our own origin in other letters", "https://ID.Example.COM/"],
    ["our own origin with a dot", "https://id.example.com./"],
    ["our own origin at another port", "https://id.example.com:8443/"],
    ["our own origin in full-width letters", "https://ｉｄ.example.com/"],
  ])("is not %s", async (_, text) => {
    expect(await asked(text)).toBe("address_refused");
  });

  test("asks for a name once, and for an address not at all", async () => {
    const names: string[] = [];
    const resolve = async (host: string) => {
      names.push(host);
      return [publicAddress];
    };
    await targets([], resolve).addressesOf(new URL("https://api.example.com/"));
    await targets([], resolve).addressesOf(new URL("https://1.1.1.1/"));
    await targets([], resolve).addressesOf(new URL("https://[2606:4700:4700::1111]/"));

    expect(names).toEqual(["api.example.com"]);
  });

  test("is a name only when nothing that it leads to is private", async () => {
    const all = async () => [publicAddress, "10.0.0.1", "2606:4700:4700::1111"];
    const fine = async () => [publicAddress, "2606:4700:4700::1111"];
    expect(await asked("https://api.example.com/", [], all)).toBe("address_refused");
    expect(await asked("https://api.example.com/", [], fine)).toBe("called");
  });

  test("is nobody, when the name leads nowhere", async () => {
    const nowhere = () => Promise.reject(Object.assign(new Error("no"), { code: "ENOTFOUND" }));
    expect(await asked("https://nowhere.test/", [], nowhere)).toBe("unreachable");
    expect(await asked("https://nowhere.test/", [], async () => [])).toBe("unreachable");
  });

  test("includes what the operator lists: private, plain http, even our own origin; scheme and port count", async () => {
    const inside = async () => ["10.0.0.5"];
    const list = ["http://db.internal:8080", "https://id.example.com", "http://127.0.0.1:9000"];

    expect(await asked("http://db.internal:8080/x", list, inside)).toBe("called");
    expect(await asked("http://DB.internal:8080/x", list, inside)).toBe("called");
    expect(await asked("https://id.example.com/", list, inside)).toBe("called");
    expect(await asked("http://127.0.0.1:9000/", list)).toBe("called");
    expect(await asked("http://2130706433:9000/", list)).toBe("called");

    expect(await asked("http://db.internal:8081/x", list, inside)).toBe("address_refused");
    expect(await asked("http://db.internal/x", list, inside)).toBe("address_refused");
    expect(await asked("https://db.internal:8080/x", list, inside)).toBe("address_refused");
    expect(await asked("http://x.db.internal:8080/x", list, inside)).toBe("address_refused");
    expect(await asked("http://user:x@db.internal:8080/x", list, inside)).toBe("address_refused");
    expect(await asked("http://127.0.0.1:9001/", list)).toBe("address_refused");
  });

  test("a listed name can't be turned to metadata or other addresses that no host has", async () => {
    for (const address of ["169.254.169.254", "fd00:ec2::254", "::ffff:169.254.169.254", "0.0.0.0"]) {
      const kind = await asked("http://db.internal/", ["http://db.internal"], async () => [address]);
      expect(`${address} ${kind}`).toBe(`${address} address_refused`);
    }
  });
});
