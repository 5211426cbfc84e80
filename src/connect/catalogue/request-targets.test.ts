import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Refusal } from "../../kernel/errors.ts";
import { fileOf, shipped, written } from "./providers.fixture.ts";
import { inProcess } from "./model/provider.ts";
import { requestPartsOf, urlBehind, type RequestValues } from "./request-parts.ts";

const values = (
  credentials: RequestValues["credentials"],
  connectionConfig: RequestValues["connectionConfig"] = {},
  integrationConfig: RequestValues["integrationConfig"] = {},
): RequestValues => ({ credentials, connectionConfig, integrationConfig });

const refusalOf = (work: () => unknown): Refusal | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof Refusal && error.code === "input_invalid") return error;
    throw error;
  }
};

test.each([
  ["/me?a=1&b=%2e#frag", "https://api.example.com/v1/me?a=1&b=%2e"],
  ["me", "https://api.example.com/v1/me"],
  ["//evil.example/x", "https://api.example.com/v1/evil.example/x"],
  ["../admin", undefined],
  ["%2e%2e/admin", undefined],
  ["a/../b", "https://api.example.com/v1/b"],
])("a path behind a base URL: %s", (path, href) => {
  const url = urlBehind(written(fileOf("")), new URL("https://api.example.com/v1/"), path);
  expect(url?.href).toBe(href);
});

test.each([
  "/api/v8/me",
  "/api/v9",
  "/api/v9/../../healthz",
  "/api/v9/%2e%2e/x",
  "/api/v9/a%2fb",
  "/api/v9//x",
  "/api/v9/a\\b",
  "/",
])("A50 the provider of this server opens its Track API only: %s", (path) => {
  expect(urlBehind(shipped("latchkey"), new URL(inProcess), path)).toBeUndefined();
});

describe("whatever somebody fills in", () => {
  const nasty = fc.string({
    unit: fc.oneof(
      fc.constantFrom(...Array.from("./\\@:#?%&=-_ \t\r\n\0;,[]{}$acmeACME09")),
      fc.constantFrom("。", "．", "／", "＠", "é", "\u200b", "%2e", "%00", "..", "xn--"),
    ),
    maxLength: 12,
  });
  const name = fc.constantFrom("freshdesk", "zendesk-api-key", "jira-basic", "posthog", "gitlab-token");
  const allowed: Readonly<Record<string, RegExp>> = {
    freshdesk: /^https:\/\/[a-z0-9-]+\.freshdesk\.com\/$/,
    "zendesk-api-key": /^https:\/\/[a-z0-9-]+\.zendesk\.com\/$/,
    "jira-basic": /^https:\/\/[a-z0-9-]+\.atlassian\.net\/$/,
    posthog: /^https:\/\/(us|eu)\.posthog\.com\/$/,
    "gitlab-token": /^https:\/\/[a-z0-9.-]+\/api\/v4$/,
  };

  test("no value leads a call to another host, port or scheme", () => {
    let reached = 0;
    fc.assert(
      fc.property(name, fc.oneof(nasty, fc.stringMatching(/^[a-z0-9.-]{1,8}$/)), (of, value) => {
        const given = values(
          { username: "a", password: "b", apiKey: "k" },
          { subdomain: value, region: value, hostname: value },
        );
        let href: string | undefined;
        const refusal = refusalOf(() => {
          href = requestPartsOf(shipped(of), given).baseUrl.href;
        });
        if (refusal) return;
        reached += 1;
        expect(href).toMatch(allowed[of] ?? /^$/);
        if (of === "gitlab-token") expect(href).toBe(`https://${value.toLowerCase()}/api/v4`);
      }),
      { numRuns: 1000 },
    );
    expect(reached).toBeGreaterThan(50);
  });

  test("nor does it where the pattern of a file is too wide", () => {
    const config = "connection_config: { site: { title: Site, pattern: '[\\s\\S]+' } }";
    const wide = written(fileOf(config, { baseUrl: "https://${connectionConfig.site}.example.com" }));
    const given = (site: string): RequestValues => values({ username: "a", password: "b" }, { site });
    for (const site of ["a.b", "evil.example/", "a@evil", "a#", "a?", "a:80", "..", "-a", "ⓐ", "a\t", " a"]) {
      expect(refusalOf(() => requestPartsOf(wide, given(site)))?.issues, site).toMatchObject([
        { field: "connectionConfig.site" },
      ]);
    }
    expect(requestPartsOf(wide, given("A-1")).baseUrl.href).toBe("https://a-1.example.com/");
    fc.assert(
      fc.property(nasty, (site) => {
        let host: string | undefined;
        if (refusalOf(() => ({ host } = requestPartsOf(wide, given(site)).baseUrl))) return;
        expect(host).toBe(`${site.toLowerCase()}.example.com`);
        expect(host?.split(".")).toHaveLength(3);
      }),
    );
  });

  test("a choice of the file may be several names of the host", () => {
    const config = "connection_config: { site: { title: Site, enum: [api, api.eu] } }";
    const listed = written(fileOf(config, { baseUrl: "https://${connectionConfig.site}.example.com" }));
    const { baseUrl } = requestPartsOf(listed, values({ username: "a", password: "b" }, { site: "api.eu" }));
    expect(baseUrl.href).toBe("https://api.eu.example.com/");
  });

  test("a value in a path stays one step of it", () => {
    const provider = written(
      fileOf("connection_config: { team: { title: Team } }", {
        baseUrl: "https://api.example.com/teams/${connectionConfig.team}/v1",
      }),
    );
    fc.assert(
      fc.property(fc.oneof(nasty, fc.string({ unit: "binary" })), (team) => {
        let url: URL | undefined;
        const refusal = refusalOf(() => {
          url = requestPartsOf(provider, values({ username: "a", password: "b" }, { team })).baseUrl;
        });
        if (refusal) return;
        const steps = url?.pathname.split("/") ?? [];
        expect([url?.origin, url?.search, url?.hash]).toEqual(["https://api.example.com", "", ""]);
        expect([steps[1], decodeURIComponent(steps[2] ?? ""), ...steps.slice(3)]).toEqual([
          "teams",
          team,
          "v1",
        ]);
      }),
      { numRuns: 1000 },
    );
  });

  test("no credential ends a header, and Basic gives back what was put in", () => {
    fc.assert(
      fc.property(
        fc.oneof(nasty, fc.string({ unit: "binary" })),
        fc.string({ unit: "binary" }),
        (username, password) => {
          for (const of of ["toggl", "slack-token"]) {
            let headers: Readonly<Record<string, string>> = {};
            const given = values({ username, password, apiKey: username });
            if (refusalOf(() => ({ headers } = requestPartsOf(shipped(of), given)))) continue;
            const sent = headers["authorization"] ?? "";
            expect(sent).toMatch(/^[\x20-\x7e]+$/);
            if (of === "slack-token") expect(sent).toBe(`Bearer ${username}`);
            else {
              const pair = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
                Uint8Array.from(atob(sent.slice(6)), (byte) => byte.charCodeAt(0)),
              );
              expect([pair.split(":")[0], pair.slice(pair.indexOf(":") + 1)]).toEqual([username, password]);
            }
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("no path leads out of the base URL, nor out of the folders that are open", () => {
    const base = new URL("https://api.example.com/tenant/7");
    const open = written(fileOf(""));
    const part = fc.constantFrom(
      "/",
      "//",
      "..",
      ".",
      "%2e%2e",
      "%2E.",
      "%2f",
      "%5c",
      "\\",
      "api",
      "v9",
      "/api/v9/",
      "me",
      "@evil.example",
      ":80",
      "?a=/../..",
      "#x",
      "https://evil.example",
      "\t",
      "\n",
      "é",
    );
    const parts = fc.array(part, { maxLength: 8 });
    const path = fc.oneof(
      parts.map((some) => some.join("")),
      parts.map((some) => `/api/v9/${some.join("")}`),
      fc.string({ unit: "binary" }),
    );
    let reached = 0;
    fc.assert(
      fc.property(path, (text) => {
        const url = urlBehind(open, base, text);
        if (url) {
          expect(url.origin).toBe(base.origin);
          expect(url.pathname.startsWith("/tenant/7/")).toBe(true);
          expect(url.username + url.password + url.hash).toBe("");
        }
        const own = urlBehind(shipped("latchkey"), new URL(inProcess), text);
        if (own) {
          reached += 1;
          expect(own.protocol).toBe(inProcess);
          expect(own.pathname.startsWith("/api/v9/")).toBe(true);
          // Whoever decodes once more and tidies up is still in the folder.
          const once = new URL(own.pathname.replaceAll(/%(?![0-9a-f]{2})/gi, "%25"), "http://x/");
          expect(new URL(decodeAll(once.pathname), "http://x/").pathname.startsWith("/api/v9/")).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
    expect(reached).toBeGreaterThan(50);
  });

  const decodeAll = (text: string): string => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };
});
