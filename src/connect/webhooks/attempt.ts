import { day, second } from "../../kernel/clock.ts";
import { UnsealError } from "../../kernel/crypto/envelope.ts";
import { OutboundFault, type CallAnswer } from "../../kernel/outbound/outbound.ts";
import type { ConnectDeps } from "../deps.ts";
import type { Delivery } from "../store/webhook-deliveries.ts";
import { webhookSettings, type WebhookSettings } from "../store/webhooks.ts";
import { webhookAddressIssue } from "./address.ts";
import { openDelivery, openSecret, type DeliveryContent } from "./seals.ts";
import { signatureHeaders } from "./signature.ts";

type Deps = Pick<ConnectDeps, "store" | "rootKeys" | "clock" | "outbound" | "policy" | "log">;

export type AttemptResult = {
  readonly outcome: "delivered" | "failed" | "failed_for_good";
  readonly origin: string;
  readonly status: number | null;
  /** A sentence for the app's developer; null when it was delivered. It names no path, no query and no header. */
  readonly error: string | null;
  /** A word for the log. */
  readonly reason: string | undefined;
  /** How long the receiver asks to be left alone. */
  readonly waitMs: number;
};

export const longestAttemptMs = 20 * second;
const longestWaitMs = day;

const gone = 410;

const addressOf = ({ to }: DeliveryContent, settings: WebhookSettings): string | null => {
  if (to === "primary") return settings.primaryUrl;
  return to === "secondary" ? settings.secondaryUrl : to.url;
};

/** RFC 9110 §10.2.3: seconds, or a date. */
const waitOf = ({ headers }: CallAnswer, now: number): number => {
  const asked = headers["retry-after"];
  if (typeof asked !== "string") return 0;
  const until = /^\d{1,9}$/.test(asked) ? now + Number(asked) * second : Date.parse(asked);
  return Number.isNaN(until) ? 0 : Math.min(Math.max(0, until - now), longestWaitMs);
};

const failed = (delivery: Delivery, error: string, rest: Partial<AttemptResult> = {}): AttemptResult => ({
  outcome: "failed",
  origin: delivery.origin,
  status: null,
  error,
  reason: undefined,
  waitMs: 0,
  ...rest,
});

/** In place of an attempt: none is left to it, and nobody knows what became of the last one. */
export const brokenOff = (delivery: Delivery): AttemptResult =>
  failed(delivery, "The server ended while it was sent, and that was its last attempt.", {
    reason: "broken_off",
  });

const judge = (delivery: Delivery, origin: string, answer: CallAnswer, now: number): AttemptResult => {
  const { status } = answer;
  if (status >= 200 && status < 300) {
    return { outcome: "delivered", origin, status, error: null, reason: undefined, waitMs: 0 };
  }
  const error = `It answered ${status}.`;
  return status === gone
    ? failed(delivery, error, { outcome: "failed_for_good", origin, status, reason: "gone" })
    : failed(delivery, error, { origin, status, reason: "status", waitMs: waitOf(answer, now) });
};

const failure = (delivery: Delivery, error: unknown, { log }: Pick<Deps, "log">): AttemptResult => {
  if (error instanceof OutboundFault) return failed(delivery, error.message, { reason: error.kind });
  if (error instanceof UnsealError) {
    const sentence = "The server can't open what it has sealed: its operator must look after the root keys.";
    return failed(delivery, sentence, { reason: error.reason });
  }
  log.error("webhook_attempt_broke", { delivery: delivery.id, error });
  return failed(delivery, "The server failed; its log tells how.", { reason: "internal" });
};

/** Sends one delivery once. Redirects are not followed: they are an answer other than 2xx. Never rejects. */
export const attemptDelivery = (deps: Deps) => {
  const secretsOf = (settings: WebhookSettings, now: number) => {
    const { environmentId, secretVersion: version, sealedSecret, sealedFormerSecret, formerUntil } = settings;
    const isFormerLive = sealedFormerSecret !== null && formerUntil !== null && now < formerUntil;
    return {
      secret: openSecret(deps, { environmentId, version, sealed: sealedSecret }),
      former: isFormerLive
        ? openSecret(deps, { environmentId, version: version - 1, sealed: sealedFormerSecret })
        : undefined,
    };
  };

  const send = async (delivery: Delivery): Promise<AttemptResult> => {
    const { id, environmentId, sealed, attempts } = delivery;
    const settings = await webhookSettings(deps.store.query, environmentId);
    const content = sealed === null ? undefined : openDelivery(deps, { environmentId, id, sealed });
    const address = settings && content ? addressOf(content, settings) : null;
    if (!settings || !content || address === null) {
      return failed(delivery, "The address was taken out of the settings.", {
        outcome: "failed_for_good",
        reason: "no_address",
      });
    }
    const url = URL.parse(address);
    const issue = webhookAddressIssue(address, deps.policy);
    if (url === null || issue !== undefined) {
      return failed(delivery, `Its address ${issue ?? "must be a URL"}.`, { reason: "address_refused" });
    }
    const now = deps.clock.now();
    const { body } = content;
    const answer = await deps.outbound.call({
      method: "POST",
      url,
      headers: {
        "content-type": "application/json",
        ...signatureHeaders({ id, at: now, body, attempt: attempts, ...secretsOf(settings, now) }),
      },
      body,
      timeoutMs: longestAttemptMs,
      asker: { group: `webhooks of ${environmentId}`, member: url.host },
    });
    return judge(delivery, url.origin, answer, deps.clock.now());
  };

  return (delivery: Delivery): Promise<AttemptResult> =>
    send(delivery).catch((error: unknown) => failure(delivery, error, deps));
};
