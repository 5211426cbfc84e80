import { readFlag } from "../../kernel/text/flag.ts";
import { checkFields, own, type Texts } from "../catalogue/check-fields.ts";
import type { Provider } from "../catalogue/model/provider.ts";
import { ownBaseUrl } from "../catalogue/request-parts.ts";
import type { Integration } from "../model/connection.ts";
import type { ConnectPolicy } from "../deps.ts";
import { invalidBody } from "../wire/input.ts";
import { splitSecrets } from "../vault/secret-fields.ts";
import { webhookAddressIssue } from "../webhooks/address.ts";

/** What an app sets once for an integration: two settings of ours, and the fields that the provider's file asks for. */

export type GivenConfig = Readonly<Record<string, string | boolean | null>>;

export type CheckedConfig = {
  readonly open: Integration["config"];
  readonly secret: Texts;
};

const pathOf = (name: string): readonly string[] => ["integration_config", name];

/** In place of the provider's own address. @throws Refusal input_invalid */
const baseUrlOf = (
  given: string | boolean | null,
  policy: Pick<ConnectPolicy, "origin" | "outboundAllow">,
): string => {
  if (typeof given !== "string") throw invalidBody(pathOf("base_url"), "must be a text");
  const url = ownBaseUrl(given, "integration_config.base_url");
  const issue = webhookAddressIssue(url.href, policy);
  if (issue !== undefined) throw invalidBody(pathOf("base_url"), issue);
  return url.href.replace(/\/$/, "");
};

/** The original's clients know texts only. @throws Refusal input_invalid */
const switchOf = (name: string, given: string | boolean | null): boolean => {
  const value = typeof given === "string" ? readFlag(given) : given;
  if (value !== undefined && value !== null) return value;
  throw invalidBody(pathOf(name), "must be true or false");
};

/** @throws Refusal input_invalid with what is wrong */
export const checkIntegrationConfig = (
  provider: Provider,
  given: GivenConfig,
  policy: Pick<ConnectPolicy, "origin" | "outboundAllow">,
): CheckedConfig => {
  const there = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
  const { base_url: _baseUrl, keep_password: _keepPassword, ...ofProvider } = there;
  const baseUrl = own(there, "base_url");
  const keepPassword = own(there, "keep_password");
  const { open, secret } = splitSecrets(
    provider.integration_config,
    checkFields(provider.integration_config, ofProvider, "integration_config"),
  );
  return {
    open: {
      ...open,
      ...(baseUrl === undefined || baseUrl === "" ? {} : { base_url: baseUrlOf(baseUrl, policy) }),
      ...(keepPassword === undefined ? {} : { keep_password: switchOf("keep_password", keepPassword) }),
    },
    secret,
  };
};

/** Where calls go instead of to the provider's own address; undefined when they go there. */
export const baseUrlOrigin = ({ base_url: baseUrl }: Integration["config"]): string | undefined =>
  typeof baseUrl === "string" ? new URL(baseUrl).origin : undefined;
