import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { appearance } from "../model/appearance.ts";
import { providerFile } from "../catalogue/model/provider.ts";
import type { ReadyConnection } from "./credential-cache.ts";
import { askedOf, behindProxy, forwardedHead } from "./asked.ts";
import { targetOf } from "./target.ts";
import { scopes } from "../model/scopes.ts";

const provider = {
  ...providerFile.parse({
    display_name: "Example",
    auth_mode: "NONE",
    base_url: "https://api.example.com",
    docs: "https://example.com/docs",
    shapes: [{ name: "none", title: "None", fields: {} }],
  }),
  name: "example",
};

const connectionAt = (base: string, query: readonly (readonly [string, string])[] = []): ReadyConnection => ({
  id: 1,
  integrationKey: "example",
  connectionId: "one",
  state: "live",
  stateReason: null,
  origin: new URL(base).origin,
  provider,
  parts: { baseUrl: new URL(base), headers: {}, query, sensitive: [] },
});

const given = {
  ownOrigin: new URL("https://latchkey.example"),
  holder: {
    environment: { id: 1, name: "dev", connectOrigins: [], appearance: appearance.parse({}) },
    keyId: 1,
    keyName: "key",
    scopes: new Set(scopes),
  },
  asked: askedOf({ "provider-config-key": "example", "connection-id": "one" }),
};

/** What Node lets through as the target of a request, with what is special in it more often than by chance. */
const target = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "/",
        "..",
        ".",
        "%2e",
        "%2E%2e",
        "%2f",
        "%5c",
        "\\",
        "?",
        "#",
        "//",
        "@",
        ":",
        "%",
        "&",
      ),
      fc.string({ unit: fc.integer({ min: 0x21, max: 0xff }).map((code) => String.fromCharCode(code)) }),
      fc.constantFrom("evil.example", "https:", "http://evil.example/", "a", "token=", "[::1]", "\t"),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

const bases = fc.constantFrom(
  "https://api.example.com",
  "https://api.example.com/v2/a%20b",
  "http://127.0.0.1:8080",
);

describe("whatever path is asked for", () => {
  test("the call goes to the base URL and below it, and what is sent means what was checked", () => {
    fc.assert(
      fc.property(bases, target, (base, sent) => {
        const connection = connectionAt(base);
        const found = ((): ReturnType<typeof targetOf> | undefined => {
          try {
            return targetOf(given, connection, `/proxy/${sent}`);
          } catch {
            return undefined;
          }
        })();
        if (!found) return;
        const { url, path } = found;
        const { baseUrl } = connection.parts;
        expect(url.origin).toBe(baseUrl.origin);
        expect(url.pathname.startsWith(baseUrl.pathname.replace(/\/+$/, "") + "/")).toBe(true);
        // As undici and the provider would read it.
        expect(path).toMatch(/^\/[^\s#]*$/);
        const read = new URL(baseUrl.origin + path);
        expect(read.pathname).toBe(url.pathname);
        expect(read.search).toBe(url.search);
      }),
      { numRuns: 5000 },
    );
  });

  test("an ordinary one is sent byte for byte", () => {
    const ordinary = fc
      .array(fc.stringMatching(/^[A-Za-z0-9_~!$&'()*+,;=:@"<>^`{|}[\]é-]+$/), { minLength: 1, maxLength: 5 })
      .map((segments) => segments.join("/"));
    const queries = fc.stringMatching(/^[A-Za-z0-9./\\?&=%_~+"<>'{|}-]*$/);
    fc.assert(
      fc.property(bases, ordinary, queries, (base, path, query) => {
        const { pathname } = new URL(base);
        const sent = `${path}?${query}`;
        expect(targetOf(given, connectionAt(base), `/proxy/${sent}`).path).toBe(
          `${pathname.replace(/\/$/, "")}/${sent}`,
        );
      }),
    );
  });

  test("credentials in the query are there once, with their own value", () => {
    fc.assert(
      fc.property(target, fc.string(), (sent, secret) => {
        let path: string;
        try {
          ({ path } = targetOf(
            given,
            connectionAt("https://api.example.com", [["token", secret]]),
            `/proxy/${sent}`,
          ));
        } catch {
          return;
        }
        const values = new URLSearchParams(path.slice(path.indexOf("?"))).getAll("token");
        expect(values).toEqual([secret.toWellFormed()]);
      }),
    );
  });
});

test("what stands in front of the path is no part of it, however it is written", () => {
  const fronts = fc.constantFrom("/proxy", "/%70roxy", "http://host/proxy", "HTTPS://host:1/proxy");
  fc.assert(
    fc.property(fronts, fc.stringMatching(/^[a-z%0-9?/]*$/), (front, rest) => {
      expect(behindProxy(`${front}/${rest}`)).toBe(rest.replace(/^\/+/, ""));
      expect(behindProxy(`${front}?${rest}`)).toBe(`?${rest}`);
    }),
  );
});

test("whatever headers come, only the caller's Nango-Proxy ones and those of the body go on", () => {
  const names = fc.oneof(
    fc.constantFrom(
      "authorization",
      "cookie",
      "accept",
      "host",
      "connection",
      "nango-proxy-",
      "nango-proxy-a",
    ),
    fc.stringMatching(/^(nango-proxy-)?[a-z]{1,9}$/),
  );
  fc.assert(
    fc.property(
      fc.dictionary(names, fc.string()),
      fc.boolean(),
      fc.boolean(),
      (incoming, decompress, forwardHeaders) => {
        const head = forwardedHead(incoming, { decompress, forwardHeaders }, { "x-key": "secret" });
        const own = new Set(["accept", "user-agent", "accept-encoding", "x-key"]);
        for (const [name, value] of Object.entries({ ...head.headers, ...head.add })) {
          if (!own.has(name)) expect(value).toBe(incoming[`nango-proxy-${name}`]);
        }
        expect({ ...head.headers, ...head.add }["x-key"]).toBe(incoming["nango-proxy-x-key"] ?? "secret");
      },
    ),
  );
});
