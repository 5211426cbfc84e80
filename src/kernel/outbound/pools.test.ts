import { describe, expect, onTestFinished, test } from "vitest";
import { makeCertificate } from "../../../tests/support/certificate.ts";
import { startUpstream } from "../../../tests/support/upstream.ts";
import { createOutbound, OutboundFault } from "./outbound.ts";
import { createPools, poolOpener } from "./pools.ts";
import { createTargets } from "./target.ts";

const ownOrigin = new URL("https://id.example.com");
const second = 1000;

const faultOf = async (asking: Promise<unknown>): Promise<string> => {
  const error: unknown = await asking.then(
    () => "nothing",
    (reason: unknown) => reason,
  );
  return error instanceof OutboundFault ? error.kind : String(error);
};

/** Pools that note to which addresses they were opened; nothing is dispatched, so nothing is connected. */
const watch = (answers: readonly (readonly string[])[]) => {
  let now = 0;
  let asked = 0;
  const opened: (readonly string[])[] = [];
  const open = poolOpener();
  const pools = createPools({
    clock: { now: () => now },
    openPool: (origin, addresses) => {
      opened.push(addresses);
      return open(origin, addresses);
    },
    targets: createTargets({
      allow: [],
      ownOrigin,
      ownAddresses: () => [],
      resolve: async () => {
        asked += 1;
        return answers[Math.min(asked, answers.length) - 1] ?? [];
      },
    }),
  });
  onTestFinished(() => pools.close());
  return { pools, opened, asked: () => asked, pass: (ms: number) => void (now += ms) };
};

describe("a name that is turned to another address", () => {
  const url = new URL("https://api.example.com/x");

  test("leads to the first one as long as that is believed, and is refused then", async () => {
    const { pools, opened, asked, pass } = watch([["8.8.8.8"], ["127.0.0.1"]]);
    const first = await pools.find(url);
    pass(29 * second);

    expect(await pools.find(new URL("https://api.example.com/other"))).toBe(first);
    expect(pools.known(url)).toBe(first);
    expect(asked()).toBe(1);

    pass(second);
    expect(pools.known(url)).toBeUndefined();
    expect(await faultOf(pools.find(url))).toBe("address_refused");
    expect(await faultOf(pools.find(url))).toBe("address_refused");
    expect(opened).toEqual([["8.8.8.8"]]);
  });

  test("gets new connections when the new one is public too", async () => {
    const { pools, opened, pass } = watch([["8.8.8.8"], ["9.9.9.9"]]);
    const first = await pools.find(url);
    pass(30 * second);
    const next = await pools.find(url);

    expect(next).not.toBe(first);
    expect(first.closed).toBe(true);
    expect(opened).toEqual([["8.8.8.8"], ["9.9.9.9"]]);
  });

  test("keeps its connections when the same addresses come in another order", async () => {
    const { pools, opened, asked, pass } = watch([
      ["8.8.8.8", "9.9.9.9"],
      ["9.9.9.9", "8.8.8.8"],
    ]);
    const first = await pools.find(url);
    pass(30 * second);

    expect(await pools.find(url)).toBe(first);
    expect(asked()).toBe(2);
    expect(opened).toHaveLength(1);
  });

  test("is no way around the rule against user names, once it is known", async () => {
    const { pools } = watch([["8.8.8.8"]]);
    await pools.find(url);
    expect(pools.known(url)).toBeDefined();
    expect(() => pools.known(new URL("https://user:x@api.example.com/"))).toThrow(OutboundFault);
    expect(await faultOf(pools.find(new URL("https://user@api.example.com/")))).toBe("address_refused");
  });

  test("is asked for once by many calls at a time", async () => {
    const { pools, asked } = watch([["8.8.8.8"], ["127.0.0.1"]]);
    const found = await Promise.all(Array.from({ length: 20 }, () => pools.find(url)));

    expect(new Set(found).size).toBe(1);
    expect(asked()).toBe(1);
  });

  test("has no say in where connections go: the system is not asked again", async () => {
    const upstream = await startUpstream();
    upstream.answers("/", { body: "hello" });
    let asked = 0;
    const origin = `http://turned.test:${upstream.port}`;
    const outbound = createOutbound({
      allow: [origin],
      ownOrigin,
      // 127.0.0.2 is this machine too, and nobody listens there.
      resolve: async () => [asked++ === 0 ? "127.0.0.1" : "127.0.0.2"],
    });
    onTestFinished(async () => {
      await outbound.close();
      await upstream.stop();
    });
    const call = () => outbound.call({ method: "GET", url: new URL(origin) });
    const answers = await Promise.all(Array.from({ length: 5 }, call));

    expect(answers.map(({ body }) => body.toString())).toEqual(Array.from({ length: 5 }, () => "hello"));
    expect(upstream.connections).toBeGreaterThan(1);
    expect(asked).toBe(1);
  });
});

describe("connections", () => {
  test("are kept for the next call", async () => {
    const upstream = await startUpstream();
    upstream.answers("/", { body: "hello" });
    const outbound = createOutbound({ allow: [upstream.origin], ownOrigin });
    onTestFinished(async () => {
      await outbound.close();
      await upstream.stop();
    });
    for (let count = 0; count < 5; count += 1) {
      await outbound.call({ method: "GET", url: upstream.url("/") });
    }

    expect(upstream.asked).toHaveLength(5);
    // A connection rests for a moment before it is used again, so that there may be a second one.
    expect(upstream.connections).toBeLessThanOrEqual(2);
  });

  test("go to the next address when one does not answer", async () => {
    const upstream = await startUpstream();
    upstream.answers("/", { body: "hello" });
    const origin = `http://several.test:${upstream.port}`;
    const resolve = async () => ["127.0.0.2", "127.0.0.1"];
    const outbound = createOutbound({ allow: [origin], ownOrigin, resolve });
    onTestFinished(async () => {
      await outbound.close();
      await upstream.stop();
    });

    expect((await outbound.call({ method: "GET", url: new URL(origin) })).status).toBe(200);
  });

  test("end when they are closed, with what runs over them; nothing is called any more", async () => {
    const upstream = await startUpstream();
    upstream.answers("/hangs", { instead: "hang" });
    const outbound = createOutbound({ allow: [upstream.origin], ownOrigin });
    onTestFinished(() => upstream.stop());
    const running = faultOf(outbound.call({ method: "GET", url: upstream.url("/hangs") }));
    await expect.poll(() => upstream.asked.length).toBe(1);
    await outbound.close();

    expect(await running).toBe("broken");
    await expect.poll(() => upstream.open).toBe(0);
    expect(await faultOf(outbound.call({ method: "GET", url: upstream.url("/") }))).toBe("unreachable");
    expect(upstream.asked).toHaveLength(1);
  });
});

describe("https", () => {
  const start = async () => {
    const certificate = makeCertificate("api.test", "127.0.0.1");
    const upstream = await startUpstream(certificate);
    upstream.answers("/", { body: "hello" });
    const origins = ["api.test", "other.test"].map((name) => `https://${name}:${upstream.port}`);
    const open = (authorities: readonly string[]) => {
      const outbound = createOutbound({
        allow: [upstream.origin, ...origins],
        ownOrigin,
        authorities,
        resolve: async () => ["127.0.0.1"],
      });
      onTestFinished(() => outbound.close());
      return (url: string) => outbound.call({ method: "GET", url: new URL(url) });
    };
    onTestFinished(() => upstream.stop());
    const [named = "", misnamed = ""] = origins;
    return { upstream, open, named, misnamed, authorities: [certificate.cert] };
  };

  test("goes to the checked address and still asks for the name", async () => {
    const { upstream, open, named, authorities } = await start();
    expect((await open(authorities)(named)).body.toString()).toBe("hello");
    expect(upstream.asked[0]?.servername).toBe("api.test");
    expect(upstream.asked[0]?.headers.host).toBe(`api.test:${upstream.port}`);
    expect((await open(authorities)(upstream.origin)).body.toString()).toBe("hello");
  });

  // The kernel refuses to connect to a network's broadcast address, and says so at once.
  test.each([[["127.255.255.255"]], [["127.255.255.255", "127.255.255.254", "127.255.255.255"]]])(
    "that fails within the call that opens the connection is unreachable, and nothing else: %j",
    async (addresses) => {
      const outbound = createOutbound({
        allow: ["https://api.test"],
        ownOrigin,
        resolve: async () => addresses,
      });
      onTestFinished(() => outbound.close());
      const call = () => outbound.call({ method: "GET", url: new URL("https://api.test/") });
      expect(await Promise.all([faultOf(call()), faultOf(call())])).toEqual(["unreachable", "unreachable"]);
    },
  );

  test("goes to the next address when the first one fails at once", async () => {
    const { upstream, authorities, named } = await start();
    const outbound = createOutbound({
      allow: [named],
      ownOrigin,
      authorities,
      resolve: async () => ["127.255.255.255", "127.0.0.1"],
    });
    onTestFinished(() => outbound.close());
    expect((await outbound.call({ method: "GET", url: new URL(named) })).body.toString()).toBe("hello");
    expect(upstream.asked).toHaveLength(1);
  });

  test("is spoken only with whom the certificate names, and only when it is believed", async () => {
    const { upstream, open, named, misnamed, authorities } = await start();
    expect(await faultOf(open(authorities)(misnamed))).toBe("unreachable");
    expect(await faultOf(open([])(named))).toBe("unreachable");
    expect(await faultOf(open([])(upstream.origin))).toBe("unreachable");
    expect(upstream.asked).toEqual([]);
  });
});
