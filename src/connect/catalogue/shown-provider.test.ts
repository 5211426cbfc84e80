import { expect, test } from "vitest";
import { catalogue, fileOf, shipped, written } from "./providers.fixture.ts";
import { providerAnswer, shownProvider } from "./shown-provider.ts";

const origin = "https://id.example.com";

test("Toggl is shown with the fields that the original was recorded with, and ours behind them", () => {
  const { shapes, guide, ...recorded } = shownProvider(shipped("toggl"), origin);
  const text: string = expect.any(String);
  expect(recorded).toEqual({
    display_name: "Toggl Track",
    categories: ["productivity"],
    auth_mode: "BASIC",
    proxy: {
      base_url: "https://api.track.toggl.com",
      verification: { method: "GET", endpoints: ["/api/v9/me"] },
      retry: { after: ["x-toggl-quota-resets-in"] },
    },
    docs: "https://engineering.toggl.com/docs/",
    docs_connect: `${origin}/docs/providers/toggl`,
    credentials: {
      username: {
        type: "string",
        title: "API token or e-mail address",
        description: text,
        doc_section: text,
      },
      password: {
        type: "string",
        title: "Password or api_token",
        description: text,
        secret: true,
        doc_section: text,
      },
    },
    name: "toggl",
    logo_url: `${origin}/images/template-logos/toggl.svg`,
  });
  expect(Object.keys(recorded)).toEqual([
    "display_name",
    "categories",
    "auth_mode",
    "proxy",
    "docs",
    "docs_connect",
    "credentials",
    "name",
    "logo_url",
  ]);
  expect(shapes.map(({ name, recommended, swapped }) => [name, recommended, swapped])).toEqual([
    ["token", true, false],
    ["email_password", false, true],
  ]);
  expect(shapes[0]?.fields["password"]).toMatchObject({ hidden: true, default_value: "api_token" });
  expect(guide.map(({ anchor }) => `#${anchor}`)).toContain(recorded.credentials?.["username"]?.doc_section);
});

test("what this server answers itself is shown at its origin", () => {
  const shown = shownProvider(shipped("latchkey"), origin);
  expect([shown.proxy.base_url, shown.docs]).toEqual([origin, `${origin}/docs/api`]);
});

test("one shape is shown as it is, with what is hidden in it, and is the recommended one", () => {
  const shown = shownProvider(shipped("freshdesk"), origin);
  expect(shown.credentials?.["password"]).toEqual({
    type: "string",
    title: "X",
    description: "X",
    hidden: true,
    default_value: "X",
  });
  expect(shown.credentials).toEqual(shown.shapes[0]?.fields);
  expect(shown.shapes[0]?.recommended).toBe(true);
  expect(shown.connection_config?.["subdomain"]).toMatchObject({
    prefix: "https://",
    suffix: ".freshdesk.com",
  });
});

test("without credentials there are none to show", () => {
  const shown = shownProvider(written(fileOf("", { mode: "NONE" })), origin);
  expect(shown).not.toHaveProperty("credentials");
  expect(shown.shapes).toMatchObject([{ fields: {} }]);
});

test("every provider is shown as the documents say, and its own rules stay here", () => {
  for (const provider of catalogue.all()) {
    const shown = shownProvider(provider, origin);
    expect(providerAnswer.strict().parse(shown)).toEqual(shown);
    expect(JSON.stringify(shown)).not.toContain("outcomes");
  }
});
