import type { inspectConfig } from "#kernel/config.ts";
import { reasonOf } from "#kernel/errors.ts";
import { createClientAddress } from "#kernel/http/client-address.ts";
import { fail, ok, type Finding } from "./finding.ts";

const trustedProxiesFault = (proxies: readonly string[]): Finding | undefined => {
  try {
    createClientAddress(proxies);
    return undefined;
  } catch (error) {
    return fail("config", `${reasonOf(error)}.`, "Correct LATCHKEY_TRUSTED_PROXIES, or unset it.");
  }
};

/** A finding for each setting that is wrong, or one that says which settings are not left to their defaults. */
export const checkConfig = ({
  config,
  faults,
  given,
}: ReturnType<typeof inspectConfig>): readonly Finding[] => {
  const proxies = trustedProxiesFault(config.trustedProxies);
  const wrong = faults.map(({ name, sentence }) =>
    fail("config", sentence, `Correct ${name} where the server gets its environment, or unset it.`),
  );
  if (proxies) wrong.push(proxies);
  if (wrong.length > 0) return wrong;
  const set =
    given.length === 0
      ? "Everything is at its default."
      : `${given.join(", ")} can be read; everything else is at its default.`;
  return [ok("config", set)];
};
