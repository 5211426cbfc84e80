import { createSigningKeys, signingKeyStatus } from "#accounts";
import { systemClock } from "#kernel/clock.ts";
import type { Config } from "#kernel/config.ts";
import { inspectRootKeys } from "#kernel/crypto/root-keys/root-key-registry.ts";
import type { RootKeys } from "#kernel/crypto/root-keys.ts";
import type { Store } from "#kernel/db/store.ts";
import { reasonOf } from "#kernel/errors.ts";
import { systemRandom } from "#kernel/ids.ts";
import { timeOf } from "../house.ts";
import { fail, ok, type Finding } from "./finding.ts";

const rootKeys = "root keys";
const signingKey = "signing key";

const supply = (where: string): string =>
  `Put the key back, in ${where === "LATCHKEY_ROOT_KEYS" ? where : `${where} or in LATCHKEY_ROOT_KEYS`}: nothing that is sealed opens without it.`;

const checkSigningKey = async (store: Store, keys: RootKeys): Promise<Finding> => {
  const signing = (await signingKeyStatus({ store, clock: systemClock })).findLast(
    ({ state }) => state === "signs",
  );
  if (!signing) return ok(signingKey, "There is none yet: the first sign-in makes it.");
  try {
    await createSigningKeys({ store, rootKeys: keys, clock: systemClock, random: systemRandom }).current();
    return ok(signingKey, `${signing.kid} opens; it signs since ${timeOf(signing.createdAt)}.`);
  } catch (error) {
    return fail(
      signingKey,
      `The signing key can't be opened: ${reasonOf(error)}.`,
      `Supply the right root key, or make a new one: latchkey keys revoke ${signing.kid}`,
    );
  }
};

/** Whether every root key that the store needs was given, and whether the key that signs opens with them. */
export const checkKeys = async (store: Store, config: Config): Promise<readonly Finding[]> => {
  let inspected;
  try {
    inspected = await inspectRootKeys({ store, config });
  } catch (error) {
    return [
      fail(
        rootKeys,
        `${reasonOf(error).replace(/\.$/, "")}.`,
        "Nothing that is sealed opens until that is mended.",
      ),
    ];
  }
  const { where, keys, findings } = inspected;
  const missing = findings.filter(({ role }) => role === "missing").map(({ id }) => id);
  const changed = findings.filter(({ role }) => role === "another key").map(({ id }) => id);
  if (missing.length > 0) {
    return [
      fail(
        rootKeys,
        `The store needs root key ${missing.join(", ")}, which ${where} does not have.`,
        supply(where),
      ),
    ];
  }
  if (changed.length > 0) {
    return [
      fail(
        rootKeys,
        `Root key ${changed.join(", ")} in ${where} is not the one the store was sealed under.`,
        supply(where),
      ),
    ];
  }
  if (!keys) return [ok(rootKeys, `There is none yet: the first start makes ${where}.`)];
  return [
    ok(rootKeys, `${where} has every key that the store needs; ${keys.current.id} seals.`),
    await checkSigningKey(store, keys),
  ];
};
