/** Random keys of the server itself, for keyed digests: every process of one store has the same. */
import type { Clock } from "../clock.ts";
import type { Store, Tx } from "../db/store.ts";
import type { Random } from "../ids.ts";
import { open, seal, type Place } from "./envelope.ts";
import type { RootKeys } from "./root-keys.ts";

export type ServerSecretDeps = {
  readonly store: Pick<Store, "query" | "transaction">;
  readonly rootKeys: RootKeys;
  readonly random: Random;
  readonly clock: Clock;
};

const size = 32;

/**
 * The 32 random bytes that the store keeps, sealed, under this name; made when there are none. Processes that
 * ask at the same time get the same bytes.
 *
 * @param whenMade what has to be done once, together with the making: all or nothing
 * @throws UnsealError when the store was tampered with
 */
export const loadServerSecret = async (
  { store, rootKeys, random, clock }: ServerSecretDeps,
  name: string,
  whenMade?: (tx: Tx, secret: Buffer) => Promise<void>,
): Promise<Buffer> => {
  const place: Place = { room: "kernel", row: name, field: "server_secret", version: 1 };
  const kept = async (): Promise<string | undefined> =>
    (
      await store.query
        .selectFrom("server_secrets")
        .select("sealed")
        .where("name", "=", name)
        .executeTakeFirst()
    )?.sealed;

  let sealed = await kept();
  if (sealed === undefined) {
    const bytes = random.bytes(size);
    const fresh = seal(rootKeys, random, place, bytes.toString("base64url"));
    await store.transaction(async (tx) => {
      const made = await tx.query
        .insertInto("server_secrets")
        .values({ name, sealed: fresh, created_at: clock.now() })
        .onConflict((conflict) => conflict.column("name").doNothing())
        .returning("name")
        .executeTakeFirst();
      if (made) await whenMade?.(tx, bytes);
    });
    // Read again, because another process may have been first.
    sealed = await kept();
  }
  if (sealed === undefined) throw new Error(`The server secret ${name} was removed while it was being made`);
  return Buffer.from(open(rootKeys, place, sealed).reveal(), "base64url");
};
