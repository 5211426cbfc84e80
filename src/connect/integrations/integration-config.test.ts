import { describe, expect, test } from "vitest";
import { Refusal } from "../../kernel/errors.ts";
import { providerFile, type Provider } from "../catalogue/model/provider.ts";
import { baseUrlOrigin, checkIntegrationConfig, type GivenConfig } from "./integration-config.ts";

const provider: Provider = {
  name: "acme",
  ...providerFile.parse({
    display_name: "Acme",
    auth_mode: "API_KEY",
    base_url: "https://api.acme.example",
    docs: "https://acme.example/docs",
    shapes: [{ name: "key", title: "Key", fields: { apiKey: { title: "Key", secret: true } } }],
    integration_config: {
      partner: { title: "Partner's id", pattern: "[a-z]{3,8}" },
      partnerSecret: { title: "Partner's secret", secret: true },
      region: { title: "Region", enum: ["eu", "us"], default: "eu" },
    },
  }),
};

const policy = { origin: new URL("https://latchkey.example"), outboundAllow: ["http://10.0.0.7:8080"] };
const check = (given: GivenConfig) => checkIntegrationConfig(provider, given, policy);
const given = { partner: "abc", partnerSecret: "s3cret" };

const issuesOf = (wrong: GivenConfig): readonly string[] => {
  try {
    check(wrong);
  } catch (error) {
    if (error instanceof Refusal) return error.issues.map(({ field }) => field);
    throw error;
  }
  return [];
};

describe("the configuration of an integration", () => {
  test("is kept in two: what may lie open, and what is sealed", () => {
    expect(check({ ...given, keep_password: true, base_url: "https://eu.acme.example/" })).toEqual({
      open: { partner: "abc", region: "eu", keep_password: true, base_url: "https://eu.acme.example" },
      secret: { partnerSecret: "s3cret" },
    });
  });

  test("has what the provider's file demands, and nothing besides", () => {
    expect(issuesOf({})).toEqual(["integration_config.partner", "integration_config.partnerSecret"]);
    expect(issuesOf({ ...given, partner: "ABC", region: "moon", plan: "x" }).toSorted()).toEqual([
      "integration_config.partner",
      "integration_config.plan",
      "integration_config.region",
    ]);
    expect(issuesOf({ ...given, partner: true })).toEqual(["integration_config.partner"]);
    expect(issuesOf({ ...given, partnerSecret: "a\r\nb" })).toEqual(["integration_config.partnerSecret"]);
  });

  test("loses what is null", () => {
    expect(check({ ...given, base_url: null, keep_password: null, region: null }).open).toEqual({
      partner: "abc",
      region: "eu",
    });
    expect(issuesOf({ ...given, partner: null })).toEqual(["integration_config.partner"]);
  });

  test.each([
    ["http://10.0.0.7:8080", true],
    ["http://10.0.0.7:8080/api", true],
    ["https://other.example:8443", true],
    ["http://10.0.0.7:8081", false],
    ["https://10.0.0.7:8080", false],
    ["http://other.example", false],
    ["https://latchkey.example", false],
    ["https://LATCHKEY.example.:443/x", false],
    ["https://latchkey.example:8443", true],
  ])("may have the base_url %s: %s", (baseUrl, isTaken) => {
    expect(issuesOf({ ...given, base_url: baseUrl })).toEqual(isTaken ? [] : ["integration_config.base_url"]);
  });

  test("says where calls go", () => {
    expect(baseUrlOrigin({ base_url: "https://eu.acme.example/v2" })).toBe("https://eu.acme.example");
    expect(baseUrlOrigin({})).toBeUndefined();
  });
});
