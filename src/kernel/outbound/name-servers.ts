/** Asks the name servers of this machine, on sockets of its own and without a thread (c-ares). */

import { Resolver } from "node:dns/promises";
import { second } from "../clock.ts";
import { hasPublicIPv6 } from "./address.ts";
import type { Resolve } from "./look-ups.ts";

/** Before the next server is asked, or the same one again; doubled after each round. */
const firstTryMs = second;
const tries = 3;
/** So long a name that has addresses of one family is waited for with those of the other. */
const otherFamilyMs = second;

/** What one server can't answer, or will not, another one may. */
const serverCodes: ReadonlySet<string> = new Set(["ESERVFAIL", "EREFUSED", "ENOTIMP"]);

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";

/** In turn, so that the first few are of both (RFC 8305 §4). */
const alternately = (one: readonly string[], other: readonly string[]): readonly string[] =>
  Array.from({ length: Math.max(one.length, other.length) }, (_, index) => [
    ...one.slice(index, index + 1),
    ...other.slice(index, index + 1),
  ]).flat();

const askBoth = async (resolver: Resolver, host: string): Promise<readonly string[]> => {
  let patience: NodeJS.Timeout | undefined;
  const bePatient = (): void => {
    patience ??= setTimeout(() => resolver.cancel(), otherFamilyMs);
  };
  const [four, six] = await Promise.allSettled(
    [resolver.resolve4(host), resolver.resolve6(host)].map(async (asking) => {
      const found = await asking;
      bePatient();
      return found;
    }),
  );
  clearTimeout(patience);
  const found4 = four?.status === "fulfilled" ? four.value : [];
  const found6 = six?.status === "fulfilled" ? six.value : [];
  if (found4.length + found6.length > 0) {
    return hasPublicIPv6() ? alternately(found6, found4) : alternately(found4, found6);
  }
  const errors = [four, six].flatMap((one): readonly unknown[] =>
    one?.status === "rejected" ? [one.reason] : [],
  );
  // That there is no address of one family says less than what is the matter with the other.
  throw errors.find((error) => codeOf(error) !== "ENODATA") ?? errors[0];
};

/**
 * Both families, CNAMEs followed by the server. The name is asked for as it is: without search domains, and past the
 * hosts file. Rejects with an error that has a code of `node:dns`.
 *
 * @param servers in place of the machine's, as `address:port`
 */
export const askNameServers =
  (servers?: readonly string[]): Resolve =>
  async (host, signal) => {
    // One for each question: it ends alone, and knows the machine's servers as they are now.
    const resolver = new Resolver({ timeout: firstTryMs, tries });
    if (servers) resolver.setServers(servers);
    const cancel = (): void => resolver.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    try {
      for (let left = resolver.getServers().length - 1; ; left -= 1) {
        try {
          return await askBoth(resolver, host);
        } catch (error) {
          if (signal.aborted || left <= 0 || !serverCodes.has(codeOf(error))) throw error;
          const [first = "", ...others] = resolver.getServers();
          resolver.setServers([...others, first]);
        }
      }
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  };
