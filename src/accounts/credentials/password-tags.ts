import { randomBytes } from "node:crypto";
import { hour, type Clock } from "../../kernel/clock.ts";
import { sha256Hex } from "../../kernel/crypto/digest.ts";
import type { Secret } from "../../kernel/secret.ts";

/**
 * Names a pair of address and password under a key that lives for an hour in this process only, so that what is kept by
 * its name tells nothing by itself.
 *
 * @param onNewKey the names of before mean nothing any more
 */
export const passwordTags = (clock: Clock, onNewKey: () => void) => {
  const newKey = (): string => randomBytes(32).toString("hex");
  let key = newKey();
  let keyUntil = 0;
  return (address: string, password: Secret): string => {
    if (clock.now() >= keyUntil) {
      key = newKey();
      keyUntil = clock.now() + hour;
      onNewKey();
    }
    const typed = password.reveal().normalize("NFC");
    // The length keeps the two apart. Nobody ever sees or sends a tag, so what HMAC adds to a digest over a random
    // key would guard nothing, and this runs with every call.
    return sha256Hex(`${key}${address.length}:${address}${typed}`);
  };
};
