import { createHash, createHmac } from "node:crypto";
import type { Random } from "../../kernel/ids.ts";
import { Secret } from "../../kernel/secret.ts";

/**
 * How a receiver knows that a webhook is from here. Several ways at once: Standard Webhooks
 * (https://www.standardwebhooks.com), which covers id and time too and can carry several signatures, and the original's
 * headers, which its SDKs check: a HMAC, and for those before 0.67 a bare hash, which is weak (a hash of secret and text
 * can be made longer by whoever sees it) and there for them alone.
 */

const prefix = "whsec_";
const secretSize = 32;

export const newSigningSecret = (random: Random): Secret =>
  new Secret(`${prefix}${random.bytes(secretSize).toString("base64")}`);

/** Standard Webhooks signs with the bytes behind the prefix; the original with the text as the app was given it. */
const bytesOf = (secret: Secret): Buffer => Buffer.from(secret.reveal().slice(prefix.length), "base64");

type Signed = {
  /** Of the delivery: the same at every attempt. */
  readonly id: string;
  /** When it is sent, in epoch milliseconds. */
  readonly at: number;
  readonly body: string;
  readonly secret: Secret;
  /** The one before, while receivers change over. */
  readonly former: Secret | undefined;
  /** Which one of its attempts this is, from 1 on. */
  readonly attempt: number;
};

/**
 * The original's headers have room for one signature. While two secrets count, attempts take turns: a receiver that knows
 * only the former one refuses the first and accepts the second, a few seconds later.
 */
export const signatureHeaders = ({
  id,
  at,
  body,
  secret,
  former,
  attempt,
}: Signed): Record<string, string> => {
  const timestamp = String(Math.floor(at / 1000));
  const signed = (by: Secret): string =>
    `v1,${createHmac("sha256", bytesOf(by)).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
  const single = former !== undefined && attempt % 2 === 0 ? former : secret;
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": former === undefined ? signed(secret) : `${signed(secret)} ${signed(former)}`,
    "x-nango-signature": createHash("sha256")
      .update(single.reveal() + body)
      .digest("hex"),
    "x-nango-hmac-sha256": createHmac("sha256", single.reveal()).update(body).digest("hex"),
  };
};
