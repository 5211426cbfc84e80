import type { z } from "zod";
import type { integrationAnswer } from "../wire/answers.ts";
import type { Integration } from "../model/connection.ts";
import type { ConnectDeps } from "../deps.ts";

type Shown = z.output<typeof integrationAnswer>["data"];

/** What only keys see, and what only those who ask for it. */
export type Include = {
  readonly config?: boolean;
  readonly webhook?: boolean;
  readonly credentials?: boolean;
};

/** An integration whose provider is not in the catalogue any more is shown too, by the provider's bare name. */
export const shownIntegration =
  ({ catalogue, policy }: Pick<ConnectDeps, "catalogue" | "policy">) =>
  (integration: Integration, include: Include = {}): Shown => {
    const { provider, config } = integration;
    return {
      unique_key: integration.uniqueKey,
      provider,
      display_name: integration.displayName ?? catalogue.get(provider)?.display_name ?? provider,
      logo: `${policy.origin.origin}/images/template-logos/${provider}.svg`,
      ...(include.webhook ? { webhook_url: null } : {}),
      ...(include.credentials ? { credentials: null } : {}),
      forward_webhooks: integration.forwardWebhooks,
      created_at: new Date(integration.createdAt).toISOString(),
      updated_at: new Date(integration.updatedAt).toISOString(),
      ...(include.config && Object.keys(config).length > 0 ? { integration_config: { ...config } } : {}),
    };
  };
