import { beforeEach, describe, expect, test } from "vitest";
import { makeCertificate } from "../../../tests/support/certificate.ts";
import { startUpstream, type Upstream } from "../../../tests/support/upstream.ts";
import { createOutbound, OutboundFault, type CallRequest, type Outbound } from "./outbound.ts";
import { nextWay } from "./redirect.ts";

const ownOrigin = new URL("https://id.example.com");

let first: Upstream;
let other: Upstream;
let secure: Upstream;
let outbound: Outbound;

beforeEach(async () => {
  const certificate = makeCertificate("127.0.0.1");
  [first, other, secure] = await Promise.all([startUpstream(), startUpstream(), startUpstream(certificate)]);
  outbound = createOutbound({
    allow: [first.origin, other.origin, secure.origin],
    ownOrigin,
    authorities: [certificate.cert],
  });
  for (const upstream of [first, other, secure]) upstream.answers("/end", { body: "arrived" });
  return async () => {
    await outbound.close();
    await Promise.all([first.stop(), other.stop(), secure.stop()]);
  };
});

const call = (path: string, rest: Partial<CallRequest> = {}) =>
  outbound.call({ method: "GET", url: first.url(path), ...rest });
const send = (path: string, status: number, location: string, upstream = first): void =>
  upstream.answers(path, { status, headers: { location }, body: "Moved." });
const kindOf = async (asking: Promise<unknown>): Promise<string> => {
  const error: unknown = await asking.then(
    () => "arrived",
    (reason: unknown) => reason,
  );
  return error instanceof OutboundFault ? error.kind : String(error);
};

describe("a redirect", () => {
  test.each([301, 302, 303, 307, 308])(
    "%i is followed for GET, by a relative address too",
    async (status) => {
      send("/a/b", status, "../end?x=1#part");
      const answer = await call("/a/b");

      expect([answer.status, answer.body.toString()]).toEqual([200, "arrived"]);
      expect(answer.url.href).toBe(first.url("/end?x=1").href);
      expect(first.asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
        "GET /a/b",
        "GET /end?x=1",
      ]);
    },
  );

  test("keeps HEAD, but for 303", async () => {
    send("/a", 302, "/end");
    send("/b", 303, "/end");
    await call("/a", { method: "HEAD" });
    await call("/b", { method: "HEAD" });

    expect(first.asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "HEAD /a",
      "HEAD /end",
      "HEAD /b",
      "GET /end",
    ]);
  });

  test.each([
    ["POST", undefined],
    ["PUT", "body"],
    ["DELETE", undefined],
    ["GET", "body"],
  ])("of a %s with %s is the answer", async (method, body) => {
    for (const status of [302, 303, 307]) {
      send("/a", status, "/end");
      const answer = await call("/a", { method, body });
      expect([answer.status, answer.headers["location"]]).toEqual([status, "/end"]);
    }
    expect(first.asked.map(({ path }) => path)).toEqual(["/a", "/a", "/a"]);
  });

  test.each([300, 304, 305])("%i is the answer", async (status) => {
    send("/a", status, "/end");
    expect((await call("/a")).status).toBe(status);
    expect(first.asked).toHaveLength(1);
  });

  test("without an address is the answer", async () => {
    first.answers("/a", { status: 302 });
    expect((await call("/a")).status).toBe(302);
  });

  test("is followed five times, and not six", async () => {
    for (let hop = 0; hop < 9; hop += 1) send(`/${hop}`, 302, hop === 8 ? "/end" : `/${hop + 1}`);
    expect((await call("/4")).body.toString()).toBe("arrived");
    expect(first.asked).toHaveLength(6);
    expect(await kindOf(call("/3"))).toBe("too_many_redirects");
    expect(first.asked).toHaveLength(12);
  });

  test("in a circle ends at once", async () => {
    send("/a", 302, "/b");
    send("/b", 307, "/a");
    expect(await kindOf(call("/a"))).toBe("too_many_redirects");
    expect(first.asked.map(({ path }) => path)).toEqual(["/a", "/b"]);
  });

  test("to an address that is not called is refused", async () => {
    for (const location of [
      "http://127.0.0.1:1/",
      "https://10.0.0.1/",
      "https://169.254.169.254/latest/meta-data/",
      "https://[::ffff:169.254.169.254]/",
      "//localhost/",
      "https://id.example.com/",
      "http://8.8.8.8/",
      "ftp://8.8.8.8/",
      `http://user:password@127.0.0.1:${other.port}/end`,
    ]) {
      send("/a", 302, location);
      expect(`${location} ${await kindOf(call("/a"))}`).toBe(`${location} address_refused`);
    }
    expect(other.asked).toEqual([]);
  });

  test("from https to http is refused, although both are allowed", async () => {
    send("/a", 302, other.url("/end").href, secure);
    send("/b", 302, secure.url("/end").href);

    expect(await kindOf(call("/a", { url: secure.url("/a") }))).toBe("address_refused");
    expect(other.asked).toEqual([]);
    expect(await kindOf(call("/b"))).toBe("arrived");
  });
});

describe("credentials", () => {
  const headers = {
    Authorization: "Basic YTpi",
    Cookie: "a=b",
    "X-Api-Key": "0123abcd",
    Accept: "application/json",
  };
  const sensitive = ["X-API-Key"];

  test("stay on the way within an origin", async () => {
    send("/a", 302, "/end");
    await call("/a", { headers, sensitive });
    expect(first.asked[1]?.headers).toMatchObject({
      authorization: "Basic YTpi",
      cookie: "a=b",
      "x-api-key": "0123abcd",
    });
  });

  test("are left behind when the way leads to another origin, and do not come back", async () => {
    send("/a", 302, other.url("/b").href);
    send("/b", 302, first.url("/end").href, other);
    await call("/a", { headers, sensitive });

    for (const asked of [other.asked[0], first.asked[1]]) {
      expect(asked?.headers).toMatchObject({ accept: "application/json" });
      for (const name of ["authorization", "cookie", "x-api-key"]) {
        expect(asked?.headers).not.toHaveProperty(name);
      }
      expect(asked?.rawHeaders.join(" ")).not.toMatch(/YTpi|a=b|0123abcd/);
    }
    expect(first.asked[0]?.headers.authorization).toBe("Basic YTpi");
  });

  test("are left behind also for another scheme or port of the same host", async () => {
    const lines = ["authorization", "Basic YTpi", "accept", "text/x", "x-api-key", "0123abcd"];
    const way = { url: new URL("http://api.test/a"), method: "GET", lines, sensitive, trail: [] };
    expect(nextWay(way, 302, "https://api.test/a")?.lines).toEqual(["accept", "text/x"]);
    expect(nextWay(way, 302, "http://api.test:81/a")?.lines).toEqual(["accept", "text/x"]);
    expect(nextWay(way, 302, "http://API.test:80/b")?.lines).toEqual(lines);

    send("/a", 302, secure.url("/end").href);
    await call("/a", { headers, sensitive });
    expect(secure.asked[0]?.rawHeaders.join(" ")).not.toMatch(/YTpi|a=b|0123abcd/);
  });
});
