import { day, second } from "../../kernel/clock.ts";
import { sha256Hex } from "../../kernel/crypto/digest.ts";
import type { Tx } from "../../kernel/db/store.ts";
import { sessionCookie } from "../../kernel/http/cookie.ts";
import { newHexId } from "../../kernel/ids.ts";
import type { AccountDeps } from "../deps.ts";
import { deleteOldestDevices, isDevice, putDevice } from "../store/devices.ts";

/**
 * Browsers in which the owner of an account signed in before have tries of their own at its password, so that strangers
 * who guess at it from elsewhere do not make the owner wait. The cookie opens nothing: with a stolen one somebody may
 * guess as often as anybody may, and then waits.
 */
export const deviceCookieName = "__Host-latchkey-device";

/** How long a browser is known in which nobody signs in any more. */
export const deviceLifetimeMs = 365 * day;

/** More than anybody's browsers; one more, and the one that was not used for longest is forgotten. */
const mostDevices = 20;

const deviceForm = /^[0-9a-f]{32}$/;

/** What the store knows a device by; undefined when the cookie can't be one. */
export const deviceDigest = (cookie: string | undefined): string | undefined =>
  cookie !== undefined && deviceForm.test(cookie) ? sha256Hex(cookie) : undefined;

/**
 * Knows the browser by its cookie from now on, or by a new one when this server never gave that one out: nobody can
 * make another's browser one of which they know the cookie.
 * @returns the `Set-Cookie` line
 */
export const rememberDevice = async (
  deps: Pick<AccountDeps, "random" | "clock">,
  tx: Tx,
  accountId: number,
  shown: string | undefined,
): Promise<string> => {
  const digest = deviceDigest(shown);
  const isOurs = digest !== undefined && (await isDevice(tx.query, digest));
  const value = shown !== undefined && isOurs ? shown : newHexId(deps.random);
  await putDevice(tx.query, { accountId, digest: sha256Hex(value) }, deps.clock.now());
  await deleteOldestDevices(tx.query, accountId, mostDevices);
  return sessionCookie(deviceCookieName, value, { maxAge: deviceLifetimeMs / second });
};
