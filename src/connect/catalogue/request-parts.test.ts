import { describe, expect, test } from "vitest";
import { Refusal } from "../../kernel/errors.ts";
import { catalogue, fileOf, shipped, written } from "./providers.fixture.ts";
import type { Provider } from "./model/provider.ts";
import {
  originOf,
  ownBaseUrl,
  prepareRequest,
  requestPartsOf,
  verificationRequestOf,
  type RequestValues,
} from "./request-parts.ts";

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

const basic = (text: string): string => `Basic ${Buffer.from(text, "utf8").toString("base64")}`;
const token = "1971800d4d82861d8f2c1651fea4d212";

describe("what a call to each provider carries", () => {
  const requests = [
    {
      name: "toggl",
      given: values({ username: token, password: "api_token" }),
      url: "https://api.track.toggl.com/api/v9/me",
      headers: { authorization: basic(`${token}:api_token`) },
    },
    {
      name: "latchkey",
      given: values({ username: token, password: "api_token" }),
      url: "latchkey:/api/v9/me",
      headers: { authorization: basic(`${token}:api_token`) },
    },
    {
      name: "freshdesk",
      given: values({ username: "key", password: "X" }, { subdomain: "Acme" }),
      url: "https://acme.freshdesk.com/api/v2/agents/me",
      headers: { authorization: basic("key:X") },
    },
    {
      name: "zendesk-api-key",
      given: values({ username: "ada@example.com", password: "t0ken" }, { subdomain: "acme" }),
      url: "https://acme.zendesk.com/api/v2/users/me.json",
      headers: { authorization: basic("ada@example.com/token:t0ken") },
    },
    {
      name: "ashby",
      given: values({ username: "key", password: "" }),
      url: "https://api.ashbyhq.com/apiKey.info",
      headers: { authorization: basic("key:"), accept: "application/json; version=1" },
      body: "{}",
    },
    {
      name: "jira-basic",
      given: values({ username: "ada@example.com", password: "t" }, { subdomain: "acme" }),
      url: "https://acme.atlassian.net/rest/api/3/myself",
      headers: { authorization: basic("ada@example.com:t") },
    },
    {
      name: "slack-token",
      given: values({ apiKey: "xoxb-1" }),
      url: "https://slack.com/api/auth.test",
      headers: { authorization: "Bearer xoxb-1" },
      method: "POST",
    },
    {
      name: "gitlab-token",
      given: values({ apiKey: "glpat-1" }, { hostname: "git.example.com" }),
      url: "https://git.example.com/api/v4/user",
      headers: { "private-token": "glpat-1" },
    },
    {
      name: "gitlab-token",
      given: values({ apiKey: "glpat-1" }),
      url: "https://gitlab.com/api/v4/user",
      headers: { "private-token": "glpat-1" },
    },
    {
      name: "pipedrive-token",
      given: values({ apiKey: "a b&c" }),
      url: "https://api.pipedrive.com/v1/users/me?api_token=a+b%26c",
      headers: {},
    },
    {
      name: "posthog",
      given: values({ apiKey: "phx_1" }, { region: "eu" }),
      url: "https://eu.posthog.com/api/users/@me/",
      headers: { authorization: "Bearer phx_1" },
    },
  ];

  test.each(requests)("$name $url", ({ name, given, url, headers, ...rest }) => {
    const request = verificationRequestOf(prepareRequest(shipped(name), given));
    expect(request?.url.href).toBe(url);
    expect(request?.headers).toEqual({
      accept: "application/json",
      ...("body" in rest ? { "content-type": "application/json" } : {}),
      ...headers,
    });
    expect(request?.body).toBe("body" in rest ? rest.body : undefined);
    expect(request?.method).toBe("body" in rest || "method" in rest ? "POST" : "GET");
    const secret = Object.keys(headers).filter((header) => header !== "accept");
    expect(request?.sensitive).toEqual(secret);
  });

  test("every provider that is asked whose credentials they are is in the table above", () => {
    const asked = catalogue.all().filter(({ verification }) => verification !== undefined);
    const missing = asked.filter((provider) => !requests.some(({ name }) => name === provider.name));
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  test("the query goes with every call, and not only with the check", () => {
    const { baseUrl, query } = requestPartsOf(shipped("pipedrive-token"), values({ apiKey: "k" }));
    expect({ href: baseUrl.href, query }).toEqual({
      href: "https://api.pipedrive.com/",
      query: [["api_token", "k"]],
    });
  });
});

describe("an integration's own address", () => {
  test("stands in for the catalogue's, and for that of the check", () => {
    const provider = written(
      fileOf("", {}).replace("  path: /me", "  path: /me\n  base_url: https://id.example.com"),
    );
    const credentials = { username: "a", password: "b" };
    const plain = verificationRequestOf(prepareRequest(provider, values(credentials)));
    const elsewhere = values(credentials, {}, { base_url: "http://127.0.0.1:4000/x/" });
    const own = verificationRequestOf(prepareRequest(provider, elsewhere));
    expect([plain?.url.href, own?.url.href]).toEqual([
      "https://id.example.com/me",
      "http://127.0.0.1:4000/x/me",
    ]);
  });

  test("may be given although the catalogue's can't be filled in", () => {
    const given = values({ username: "a", password: "b" }, {}, { base_url: "https://desk.example.com" });
    expect(requestPartsOf(shipped("freshdesk"), given).baseUrl.href).toBe("https://desk.example.com/");
  });

  test.each([
    "",
    "x",
    "ftp://a.example",
    "https://a:b@c.example",
    "https://a.example/?q=1",
    "https://a.example/#x",
    "latchkey:",
  ])("must be one: %j", (text) => {
    expect(refusalOf(() => ownBaseUrl(text))?.issues).toMatchObject([{ field: "base_url", rule: "format" }]);
  });
});

/** What is only inherited was given by nobody. */
const inheriting: RequestValues["connectionConfig"] = Object.setPrototypeOf({}, { subdomain: "acme" });

describe("what no request can carry is refused by name", () => {
  test.each([
    ["a missing credential", "toggl", values({ password: "x" }), "username", "required"],
    ["a colon in the user name", "toggl", values({ username: "a:b", password: "x" }), "username", "colon"],
    ["CR LF", "toggl", values({ username: "a", password: "b\r\nX: 1" }), "password", "control_character"],
    ["NUL", "slack-token", values({ apiKey: "a\0" }), "apiKey", "control_character"],
    [
      "half a character",
      "toggl",
      values({ username: "\ud800", password: "x" }),
      "username",
      "control_character",
    ],
    ["letters that no header has", "slack-token", values({ apiKey: "clé" }), "apiKey", "pattern"],
    [
      "a missing part of the host",
      "freshdesk",
      values({ username: "a", password: "X" }),
      "connectionConfig.subdomain",
      "required",
    ],
    [
      "another host",
      "freshdesk",
      values({ username: "a", password: "X" }, { subdomain: "evil.example/" }),
      "connectionConfig.subdomain",
      "format",
    ],
    [
      "another region",
      "posthog",
      values({ apiKey: "a" }, { region: "evil" }),
      "connectionConfig.region",
      "format",
    ],
    [
      "an inherited name",
      "freshdesk",
      values({ username: "a", password: "X" }, inheriting),
      "connectionConfig.subdomain",
      "required",
    ],
  ])("%s", (_, name, given, field, rule) => {
    const refusal = refusalOf(() => requestPartsOf(shipped(name), given));
    expect(refusal?.issues).toMatchObject([{ field, rule }]);
    // What was typed may be a secret.
    for (const secret of ["X: 1", "clé"]) expect(refusal?.message ?? "").not.toContain(secret);
  });
});

test("the header of a non-ASCII password is the base64 of its UTF-8", () => {
  const { headers } = requestPartsOf(shipped("toggl"), values({ username: "ada", password: "pässwörd €" }));
  expect(headers["authorization"]).toBe("Basic YWRhOnDDpHNzd8O2cmQg4oKs");
});

test("Basic stays away where the file has an Authorization of its own, and from other modes", () => {
  const own = written(fileOf("headers: { Authorization: 'Token ${password}' }"));
  expect(requestPartsOf(own, values({ username: "a", password: "b" }))).toMatchObject({
    headers: { authorization: "Token b" },
    sensitive: ["authorization"],
  });
  const none = written(fileOf("", { mode: "NONE" }));
  expect(requestPartsOf(none, values({})).headers).toEqual({});
});

test("a header is sensitive when it carries a credential or a secret of the configuration", () => {
  const provider = written(
    fileOf(`connection_config:
  tenant: { title: Tenant }
  salt: { title: Salt, secret: true }
integration_config:
  app: { title: App, secret: true }
headers:
  X-Tenant: \${connectionConfig.tenant}
  X-Salt: \${base64(\${connectionConfig.salt})}
  X-App: \${integrationConfig.app}
  X-Version: "3"
`),
  );
  const given = values({ username: "a", password: "b" }, { tenant: "t", salt: "s" }, { app: "p" });
  expect(requestPartsOf(provider, given)).toMatchObject({
    headers: { "x-tenant": "t", "x-salt": "cw==", "x-app": "p", "x-version": "3" },
    sensitive: ["authorization", "x-salt", "x-app"],
  });
});

test("where credentials were accepted is told as an origin", () => {
  const of = (provider: Provider, given: RequestValues): string =>
    originOf(requestPartsOf(provider, given).baseUrl);
  expect(of(shipped("slack-token"), values({ apiKey: "x" }))).toBe("https://slack.com");
  expect(of(shipped("latchkey"), values({ username: "a", password: "b" }))).toBe("latchkey:");
});
