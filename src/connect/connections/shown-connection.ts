import type { z } from "zod";
import type { connectionAnswer, connectionsAnswer } from "../wire/answers.ts";
import type { Texts } from "../catalogue/check-fields.ts";
import type { Connection } from "../model/connection.ts";
import { shownEndUser } from "../sessions/shown-session.ts";
import type { Kept } from "../vault/vault.ts";

/** Connections as the Connect wire shows them, field by field as recorded (contract nango §1.9). */

type Listed = z.output<typeof connectionsAnswer>["connections"][number];
type Whole = z.output<typeof connectionAnswer>;

/** How times are written: as recorded, what is read has an offset, and what was just made a `Z`. */
export type TimeForm = "offset" | "zulu";

const timeOf = (at: number, form: TimeForm): string => {
  const text = new Date(at).toISOString();
  return form === "zulu" ? text : text.replace("Z", "+00:00");
};

const factsOf = (connection: Connection) => ({
  id: connection.id,
  connection_id: connection.connectionId,
  provider_config_key: connection.integrationKey,
  provider: connection.provider,
  // The original names a line of its log here. There is none; the reason says more.
  errors:
    connection.state === "live"
      ? []
      : [{ type: "auth" as const, log_id: connection.stateReason ?? connection.state }],
  end_user: shownEndUser(connection.endUser),
  tags: { ...connection.tags },
  metadata: { ...connection.metadata },
});

const healthOf = ({ account, state, stateReason, lastVerifiedAt }: Connection, form: TimeForm) => ({
  account: account && { ...account },
  state,
  state_reason: stateReason,
  last_verified_at: lastVerifiedAt === null ? null : timeOf(lastVerifiedAt, form),
});

export const shownInList = (connection: Connection): Listed => ({
  ...factsOf(connection),
  created: timeOf(connection.createdAt, "offset"),
  ...healthOf(connection, "offset"),
});

/** By the fields that the wire has for each way to sign in. */
const shownCredentials = (credentials: Texts): Whole["credentials"] => {
  const { username, password, apiKey } = credentials;
  if (apiKey !== undefined) return { type: "API_KEY", apiKey };
  if (username === undefined && password === undefined) return {};
  return { type: "BASIC", username: username ?? "", password: password ?? "" };
};

/** @param kept what is secret of it, for those who may read that */
export const shownConnection = (
  connection: Connection,
  kept: Kept | undefined,
  times: { readonly fetchedAt: number; readonly form: TimeForm },
): Whole => {
  const { form } = times;
  return {
    ...factsOf(connection),
    connection_config: { ...connection.config, ...kept?.config },
    webhook_url_override: connection.webhookUrlOverride,
    created_at: timeOf(connection.createdAt, form),
    updated_at: timeOf(connection.updatedAt, form),
    last_fetched_at: timeOf(times.fetchedAt, form),
    credentials: kept === undefined ? {} : shownCredentials(kept.credentials),
    ...healthOf(connection, form),
  };
};
