import type { Tx } from "../../kernel/db/store.ts";
import { newHexId } from "../../kernel/ids.ts";
import type { ConnectDeps } from "../deps.ts";
import { insertDeliveries, type NewDelivery } from "../store/webhook-deliveries.ts";
import { webhookSettings, type WebhookSettings } from "../store/webhooks.ts";
import { bodyOf, eventOf, subjectOf, type Told } from "../model/event.ts";
import { sealDelivery, type DeliveryContent } from "./seals.ts";

type Deps = Pick<ConnectDeps, "rootKeys" | "random" | "clock" | "catalogue"> & {
  /** Called after each commit that left something to deliver. */
  readonly wake: () => void;
};

type Target = { readonly to: DeliveryContent["to"]; readonly url: string };

const targetsOf = (
  { primaryUrl, secondaryUrl }: WebhookSettings,
  override: string | null,
): readonly Target[] => {
  if (override !== null && override !== "") return [{ to: { url: override }, url: override }];
  return [
    ...(primaryUrl === null ? [] : [{ to: "primary", url: primaryUrl } as const]),
    ...(secondaryUrl === null || secondaryUrl === primaryUrl
      ? []
      : [{ to: "secondary", url: secondaryUrl } as const]),
  ];
};

/** What is no URL is told so when its turn comes. */
const originOf = (url: string): string => URL.parse(url)?.origin ?? "";

const deliveriesOf = (
  deps: Deps,
  told: Told,
  { settings, now }: { readonly settings: WebhookSettings; readonly now: number },
): readonly NewDelivery[] => {
  const { provider, webhookUrlOverride } = subjectOf(told);
  const { environmentId } = settings;
  const event = eventOf(told);
  if (!settings.events.includes(event)) return [];
  const body = bodyOf(told, {
    id: newHexId(deps.random),
    at: now,
    environment: settings.environment,
    authMode: deps.catalogue.get(provider)?.auth_mode ?? "unknown",
  });
  return targetsOf(settings, webhookUrlOverride).map(({ to, url }) => {
    const id = newHexId(deps.random);
    const sealed = sealDelivery(deps, { environmentId, id }, { to, body });
    return { id, environmentId, event, origin: originOf(url), sealed };
  });
};

/**
 * Writes down what an app is to be told, in the transaction of what it tells: both are committed, or neither. An
 * environment without settings, or that does not want this event, is told nothing. What is told at once is all of one
 * environment.
 */
export const tellApp =
  (deps: Deps) =>
  async (tx: Tx, ...told: readonly Told[]): Promise<void> => {
    const [first] = told;
    const settings = first && (await webhookSettings(tx.query, subjectOf(first).environmentId));
    if (!settings) return;
    const now = deps.clock.now();
    const deliveries = told.flatMap((one) => deliveriesOf(deps, one, { settings, now }));
    if (deliveries.length === 0) return;
    await insertDeliveries(tx.query, deliveries, now);
    tx.afterCommit(deps.wake);
  };

export type Tell = ReturnType<typeof tellApp>;
