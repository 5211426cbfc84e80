import { brotliCompressSync, deflateRawSync, deflateSync, gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { TestHouse } from "../support/house.ts";
import { addIntegration, bring, injected, proxySuite, type Linked } from "../support/proxied.ts";
import { chunked, exchange, lines } from "../support/raw-http.ts";
import type { Asked, Upstream } from "../support/upstream.ts";

/** An app calls a provider with somebody's credentials, which it never sees. */

let upstream: Upstream;
let house: TestHouse;
let key: string;
let linked: Linked;
proxySuite((proxied) => {
  ({ upstream, house, key, linked } = proxied);
});

const lastAsked = (): Asked | undefined => upstream.asked.at(-1);

/** As bytes, because clients tidy up what they send. */
const sendRaw = (target: string, method = "GET") =>
  exchange(
    house.config.port,
    lines(
      `${method} ${target} HTTP/1.1`,
      `Host: ${house.config.origin.host}`,
      ...Object.entries(linked.headers).map(([name, value]) => `${name}: ${value}`),
    ),
  );

describe("A call", () => {
  test("goes to the provider with the connection's credentials, and its answer comes back", async () => {
    const reply = await linked.call("GET", "/api/v9/me");
    expect(reply.status).toBe(200);
    expect(reply.headers["content-type"]).toBe("application/json; charset=utf-8");
    expect(reply.json()).toMatchObject({ id: 4242, email: "demo@example.com" });
    expect(lastAsked()).toMatchObject({ method: "GET", path: "/api/v9/me" });
    expect(lastAsked()?.headers.authorization).toBe(injected);
  });

  test.for([
    "/echo?a=1&b=two%20words&c=a+b&a=2&&d",
    "/echo/%2F/a%20b/%e2%82%AC/",
    "/echo/a|b'(c)!$@;x=1,2?[k]={v}|\"'^`",
    "/echo/~user/a%2Bb+c//d",
    "/echo?next=/a/../b&back=%2e%2e",
    `/echo/${"long".repeat(600)}`,
    "/",
    "/?only=a-query/with/slashes",
  ])("keeps path and query as they were sent: %s", async (path) => {
    await sendRaw(`/proxy${path}`);
    expect(lastAsked()?.path).toBe(path);
  });

  test.for([
    ["http://localhost/proxy/echo?a=1", "/echo?a=1"],
    ["/proxy", "/"],
    ["/proxy?a=/b", "/?a=/b"],
    ["/proxy/echo/./a/../b", "/echo/b"],
    ["/proxy/../../echo", "/echo"],
    ["/proxy/%2e%2E/echo", "/echo"],
    ["/proxy/echo#part", "/echo"],
  ] as const)("goes nowhere else by %s", async ([target, path]) => {
    upstream.answers("/", {});
    upstream.answers("/echo", {});
    upstream.answers("/echo/b", {});
    expect((await sendRaw(target)).status).toBe(200);
    expect(lastAsked()?.path).toBe(path);
  });

  test.for(["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "REPORT"])(
    "by %s takes its body along, byte by byte",
    async (method) => {
      const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => (index * 7) % 256));
      upstream.answers("/bytes", { status: 207, body: bytes });
      const headers = { "content-type": "application/x-own; charset=none", "content-length": "70000" };
      const reply = await linked.call(method, "/bytes", { body: bytes, headers });
      expect(reply.status).toBe(207);
      expect(reply.text).toBe(bytes.toString("utf8"));
      expect(lastAsked()).toMatchObject({ method, isWhole: true });
      expect(lastAsked()?.headers).toMatchObject(headers);
      expect(lastAsked()?.body.equals(bytes)).toBe(true);
    },
  );

  test("by HEAD has the provider's head, and no body", async () => {
    upstream.answers("/head", { headers: { "x-own": "1" }, claims: 1234 });
    const reply = await linked.call("HEAD", "/head");
    expect(reply).toMatchObject({ status: 200, text: "" });
    expect(reply.headers).toMatchObject({ "x-own": "1", "content-length": "1234" });
    expect(lastAsked()?.method).toBe("HEAD");
  });

  test("takes a body along whose length nobody knows, and one that is compressed", async () => {
    upstream.answers("/in", { status: 201 });
    const head = lines(
      "POST /proxy/in HTTP/1.1",
      `Host: ${house.config.origin.host}`,
      "Transfer-Encoding: chunked",
      ...Object.entries(linked.headers).map(([name, value]) => `${name}: ${value}`),
    );
    const reply = await exchange(
      house.config.port,
      Buffer.concat([Buffer.from(head), chunked("one ", "two")]),
    );
    expect(reply.status).toBe(201);
    expect(lastAsked()?.body.toString()).toBe("one two");
    expect(lastAsked()?.headers["content-length"]).toBeUndefined();

    const body = gzipSync("compressed");
    const headers = { "content-encoding": "gzip", "content-length": String(body.length) };
    expect((await linked.call("POST", "/in", { body, headers })).status).toBe(201);
    expect(lastAsked()?.headers["content-encoding"]).toBe("gzip");
    expect(gunzipSync(lastAsked()?.body ?? "").toString()).toBe("compressed");
  });
});

describe("Of the caller's headers", () => {
  test("only those go on that begin with Nango-Proxy, without it", async () => {
    upstream.answers("/echo", {});
    const headers = {
      accept: "text/html",
      cookie: "session=1",
      "x-custom": "mine",
      "x-forwarded-for": "192.0.2.1",
      "nango-proxy-x-custom": "hello",
      "Nango-Proxy-Accept": "application/json",
      "nango-proxy-connection": "x-custom",
      "nango-proxy-host": "elsewhere.example",
      "nango-proxy-": "nothing",
    };
    expect((await linked.call("GET", "/echo", { headers })).status).toBe(200);
    expect(lastAsked()?.headers).toEqual({
      host: `127.0.0.1:${upstream.port}`,
      connection: "keep-alive",
      authorization: injected,
      accept: "application/json",
      "user-agent": "Latchkey",
      "x-custom": "hello",
    });
  });

  test("Nango-Proxy-Authorization wins over the credentials, and the key of the app goes nowhere", async () => {
    upstream.answers("/echo", {});
    await linked.call("GET", "/echo", { headers: { "nango-proxy-authorization": "Bearer other" } });
    expect(lastAsked()?.headers.authorization).toBe("Bearer other");
    expect(upstream.asked.some(({ rawHeaders }) => rawHeaders.join().includes(key))).toBe(false);
    expect(house.logs.some((line) => line.includes(key) || line.includes(injected))).toBe(false);
  });

  test("those that the original's SDK sends empty are as none", async () => {
    const empty = ["base-url-override", "nango-activity-log-id", "retries", "retry-on", "decompress"];
    const headers = Object.fromEntries([...empty, "forward-headers-on-redirect"].map((name) => [name, ""]));
    expect((await linked.call("GET", "/api/v9/me", { headers })).status).toBe(200);
  });

  test("a compressed answer comes as it is to who asks for it; Decompress asks for a plain one", async () => {
    upstream.answers("/text", (asked) =>
      asked.headers["accept-encoding"] === "gzip"
        ? { headers: { "content-encoding": "gzip" }, body: gzipSync("plain") }
        : { body: "plain" },
    );
    const headers = { "nango-proxy-accept-encoding": "gzip" };
    const packed = await linked.call("GET", "/text", { headers });
    expect(packed.headers["content-encoding"]).toBe("gzip");
    const plain = await linked.call("GET", "/text", { headers: { ...headers, decompress: "true" } });
    expect(plain.headers["content-encoding"]).toBeUndefined();
    expect(plain.text).toBe("plain");
    expect(lastAsked()?.headers["accept-encoding"]).toBe("identity");
  });

  test.each([
    ["gzip", gzipSync],
    ["x-gzip", gzipSync],
    ["deflate", deflateSync],
    ["deflate", deflateRawSync],
    ["br", brotliCompressSync],
    ["gzip, br", (text: string) => brotliCompressSync(gzipSync(text))],
  ] as const)(
    "Decompress also unpacks what comes in %s although it was not asked for",
    async (coding, pack) => {
      const text = "Tell it again, please. ".repeat(20_000);
      const headers = { "content-encoding": coding, etag: '"1"', "content-digest": "sha-256=:AAAA:" };
      upstream.answers("/packed", { headers, body: pack(text) });
      const plain = await linked.call("GET", "/packed", { headers: { decompress: "true" } });
      expect(plain.text).toBe(text);
      expect(plain.headers.etag).toBe('W/"1"');
      for (const name of ["content-encoding", "content-length", "content-digest"]) {
        expect(plain.headers[name], name).toBeUndefined();
      }
      expect((await linked.call("GET", "/packed")).headers["content-encoding"]).toBe(coding);
    },
  );

  test.each([
    ["nothing", 304, { "content-encoding": "gzip" }, ""],
    ["a part", 206, { "content-encoding": "gzip", "content-range": "bytes 0-1/9" }, "ab"],
    ["a coding that nobody knows", 200, { "content-encoding": "zebra" }, "ab"],
    ["too many of them", 200, { "content-encoding": "gzip, gzip, gzip" }, "ab"],
  ] as const)("Decompress leaves as it is: %s", async (_, status, headers, body) => {
    upstream.answers("/left", { status, headers, body });
    const reply = await linked.call("GET", "/left", { headers: { decompress: "true" } });
    expect([reply.status, reply.text]).toEqual([status, body]);
    expect(reply.headers).toMatchObject(headers);
  });

  test("Decompress takes an empty body and a head alone for what they are", async () => {
    upstream.answers("/empty", { headers: { "content-encoding": "gzip" }, chunked: true });
    const headers = { decompress: "true" };
    expect(await linked.call("GET", "/empty", { headers })).toMatchObject({ status: 200, text: "" });
    expect(await linked.call("HEAD", "/empty", { headers })).toMatchObject({ status: 200, text: "" });
  });
});

describe("The credentials stand where the provider wants them:", () => {
  const withKey = async (provider: string): Promise<Linked> => {
    const integration = await addIntegration(house, key, { provider, config: { base_url: upstream.origin } });
    return bring(house, key, { integration, credentials: { type: "API_KEY", apiKey: "a1".repeat(20) } });
  };

  test.for([
    ["/deals?limit=5&start=a%20b", `/deals?limit=5&start=a%20b&api_token=${"a1".repeat(20)}`],
    ["/deals", `/deals?api_token=${"a1".repeat(20)}`],
    ["/deals?", `/deals?api_token=${"a1".repeat(20)}`],
    ["/deals?api_token=mine&a=1&api%5Ftoken=mine", `/deals?a=1&api_token=${"a1".repeat(20)}`],
  ] as const)("in the query, last and alone: %s", async ([sent, path]) => {
    await (await withKey("pipedrive-token")).call("GET", sent);
    expect(lastAsked()?.path).toBe(path);
    expect(lastAsked()?.headers.authorization).toBeUndefined();
    expect(house.logs.some((line) => line.includes("a1a1a1"))).toBe(false);
  });

  test("in a header of its own, and other headers of the provider's file too, unless the caller says them", async () => {
    await (await withKey("gitlab-token")).call("GET", "/x");
    expect(lastAsked()?.headers["private-token"]).toBe("a1".repeat(20));
    const ashby = await addIntegration(house, key, {
      provider: "ashby",
      config: { base_url: upstream.origin },
    });
    const credentials = { type: "BASIC", username: "a1".repeat(20), password: "" };
    const { call } = await bring(house, key, { integration: ashby, credentials });
    await call("POST", "/x");
    expect(lastAsked()?.headers.accept).toBe("application/json; version=1");
    await call("POST", "/x", { headers: { "nango-proxy-accept": "application/json; version=2" } });
    expect(lastAsked()?.headers.accept).toBe("application/json; version=2");
    expect(lastAsked()?.headers.authorization).toBe(`Basic ${btoa(`${"a1".repeat(20)}:`)}`);
  });
});

describe("The answer", () => {
  test.for([
    [402, "quota", { "x-toggl-quota-remaining": "0", "x-toggl-quota-resets-in": "120" }],
    [404, "", {}],
    [429, "slow down", { "retry-after": "7" }],
    [500, "<h1>Oops</h1>", { "content-type": "text/html" }],
  ] as const)("of the provider comes as it is: %i", async ([status, body, headers]) => {
    upstream.answers("/answer", { status, body, headers });
    const reply = await linked.call("GET", "/answer");
    expect(reply).toMatchObject({ status, text: body });
    expect(reply.headers).toMatchObject(headers);
    expect(reply.headers["access-control-allow-origin"]).toBe("*");
  });

  test("leaves nothing of the provider's in a browser under our name", async () => {
    const headers = {
      "set-cookie": ["a=1", "b=2"],
      "clear-site-data": '"*"',
      "alt-svc": 'h3=":443"',
      "strict-transport-security": "max-age=1",
      nel: "{}",
      "report-to": "{}",
      "access-control-allow-origin": "https://other.example",
      "access-control-allow-credentials": "true",
      "content-security-policy": "default-src *",
      "x-frame-options": "ALLOWALL",
      "x-content-type-options": "none",
      "x-hop": "1",
      connection: "keep-alive, x-hop",
      etag: '"1"',
      "content-type": "text/html",
    };
    upstream.answers("/page", { headers, body: "<script>1</script>" });
    const reply = await linked.call("GET", "/page");
    const gone = [
      "set-cookie",
      "clear-site-data",
      "alt-svc",
      "strict-transport-security",
      "nel",
      "report-to",
    ];
    for (const name of [...gone, "access-control-allow-credentials", "x-hop"]) {
      expect(reply.headers[name], name).toBeUndefined();
    }
    expect(reply.headers).toMatchObject({
      "access-control-allow-origin": "*",
      "access-control-expose-headers": "*",
      "content-security-policy": "sandbox",
      "x-frame-options": "DENY",
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
      etag: '"1"',
      "content-type": "text/html",
    });
  });

  test("that may be kept for a while is kept for one connection only", async () => {
    upstream.answers("/kept", { headers: { "cache-control": "public, max-age=60", vary: "Accept" } });
    const { headers } = await linked.call("GET", "/kept");
    expect(headers["cache-control"]).toBe("private, max-age=60");
    expect(headers.vary).toBe(
      "Accept, Nango-Proxy-Accept, Authorization, Base-Url-Override, Connection-Id, Nango-Proxy-Authorization, Provider-Config-Key",
    );
  });

  test.for([204, 304])("may have no body: %i", async (status) => {
    upstream.answers("/none", { status, headers: { etag: '"1"' } });
    expect(await linked.call("GET", "/none")).toMatchObject({ status, text: "" });
  });

  test("to a browser that asks first is yes", async () => {
    const reply = await house.send("OPTIONS", "/proxy/api/v9/me", {
      headers: { origin: "https://app.example", "access-control-request-method": "PATCH" },
    });
    expect(reply.status).toBe(204);
    expect(reply.headers["access-control-allow-headers"]).toContain("Provider-Config-Key, Connection-Id");
    expect(reply.headers["access-control-allow-methods"]).toContain("PROPFIND");
  });
});
