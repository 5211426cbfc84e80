import { z } from "zod";
import { open, seal, type Place } from "../../kernel/crypto/envelope.ts";
import type { RootKeys } from "../../kernel/crypto/root-keys.ts";
import type { Random } from "../../kernel/ids.ts";
import type { Secret } from "../../kernel/secret.ts";

/** What of webhooks nobody may read in the store: the secrets that sign them, and what they say. */

type Keys = { readonly rootKeys: RootKeys; readonly random: Random };

const secretPlace = (environmentId: number, version: number): Place => ({
  room: "connect",
  row: String(environmentId),
  field: "webhook_secret",
  version,
});

type SecretPlace = { readonly environmentId: number; readonly version: number };

export const sealSecret = ({ rootKeys, random }: Keys, at: SecretPlace, secret: Secret): string =>
  seal(rootKeys, random, secretPlace(at.environmentId, at.version), secret);

/** @throws UnsealError when the record was changed or moved */
export const openSecret = (
  { rootKeys }: Pick<Keys, "rootKeys">,
  at: SecretPlace & { readonly sealed: string },
): Secret => open(rootKeys, secretPlace(at.environmentId, at.version), at.sealed);

/** The environment's addresses are looked up when it is sent: what waits goes to the address as it was mended meanwhile. */
const sealedContent = z.object({
  to: z.union([z.literal("primary"), z.literal("secondary"), z.object({ url: z.string() })]),
  body: z.string(),
});

export type DeliveryContent = z.infer<typeof sealedContent>;

const deliveryPlace = (environmentId: number, id: string): Place => ({
  room: "connect",
  row: `${environmentId}/${id}`,
  field: "webhook",
  version: 1,
});

type DeliveryPlace = { readonly environmentId: number; readonly id: string };

export const sealDelivery = (
  { rootKeys, random }: Keys,
  at: DeliveryPlace,
  content: DeliveryContent,
): string => seal(rootKeys, random, deliveryPlace(at.environmentId, at.id), JSON.stringify(content));

/** @throws UnsealError when the record was changed or moved */
export const openDelivery = (
  { rootKeys }: Pick<Keys, "rootKeys">,
  at: DeliveryPlace & { readonly sealed: string },
): DeliveryContent =>
  sealedContent.parse(JSON.parse(open(rootKeys, deliveryPlace(at.environmentId, at.id), at.sealed).reveal()));
