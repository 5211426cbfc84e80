import { day } from "../../kernel/clock.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { ConnectDeps } from "../deps.ts";
import { putWebhookSettings, webhookSettings } from "../store/webhooks.ts";
import type { KeyCaller } from "../wire/actor.ts";
import type { ChangedWebhooks } from "./change-settings.ts";
import { sealSecret } from "./seals.ts";
import { newSigningSecret } from "./signature.ts";
import { refusals } from "../model/refusals.ts";

type Deps = Pick<ConnectDeps, "store" | "clock" | "random" | "rootKeys" | "audit">;

/** For so long the former secret signs too. */
const overlapMs = day;

/** A new secret; the one before signs beside it for a day. @throws Refusal not_found when there is none yet */
export const rotateWebhookSecret =
  (deps: Deps) =>
  ({ holder, address: from }: KeyCaller): Promise<ChangedWebhooks> =>
    deps.store.transaction(async (tx) => {
      await tx.alone();
      const before = await webhookSettings(tx.query, holder.environment.id);
      if (!before) {
        throw new Refusal(refusals.not_found, {
          text: "This environment has no webhooks: say first where they go",
        });
      }
      const { environmentId, secretVersion } = before;
      const at = { environmentId, version: secretVersion + 1 };
      const secret = newSigningSecret(deps.random);
      const now = deps.clock.now();
      const settings = {
        ...before,
        sealedSecret: sealSecret(deps, at, secret),
        secretVersion: at.version,
        sealedFormerSecret: before.sealedSecret,
        formerUntil: now + overlapMs,
        updatedAt: now,
      };
      await putWebhookSettings(tx.query, settings);
      await deps.audit.record(tx.query, {
        event: "webhook_secret_rotated",
        outcome: "done",
        channel: "key",
        address: from,
        details: { environment: holder.environment.name, key: holder.keyName },
      });
      return { settings, secret };
    });
