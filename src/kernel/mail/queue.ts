/** Mails are written down with what they tell about: both are committed, or neither. The courier takes them from there. */
import { day, type Clock } from "../clock.ts";
import { sha256Hex } from "../crypto/digest.ts";
import { open, seal, type Place } from "../crypto/envelope.ts";
import type { RootKeys } from "../crypto/root-keys.ts";
import type { Store, Tx } from "../db/store.ts";
import { newHexId, type Random } from "../ids.ts";
import { assertSafe, type MailMessage } from "./message.ts";

export type EnqueueOptions = {
  /** Epoch milliseconds after which it is of no use any more and is thrown away. Two days when left out. */
  readonly expiresAt?: number;
  /** Goes through all the work and is thrown away by the courier: for an address that must not look different. */
  readonly discard?: boolean;
};

export type MailQueue = {
  /**
   * Sealed at once, delivered after the commit.
   * @throws TypeError when `to` is not one plain address, or the subject not one line
   */
  enqueue(tx: Tx, message: MailMessage, options?: EnqueueOptions): Promise<void>;
};

/** What is sealed. */
type Content = { readonly message: MailMessage; readonly discard: boolean };

const placeOf = (id: string): Place => ({ room: "kernel", row: id, field: "mail", version: 1 });
const keptMs = 2 * day;

/** The same for mails of one host. Twelve bits tell them apart well enough, and do not tell whose they are. */
const laneOf = ({ to }: MailMessage): string =>
  sha256Hex(to.slice(to.lastIndexOf("@") + 1).toLowerCase()).slice(0, 3);

export const createMailQueue = (deps: {
  readonly rootKeys: RootKeys;
  readonly random: Random;
  readonly clock: Clock;
  /** Called after each commit that left a mail in the queue. */
  readonly wake: () => void;
}): MailQueue => ({
  enqueue: async (tx, message, options = {}) => {
    assertSafe(message);
    const now = deps.clock.now();
    const id = newHexId(deps.random);
    const discard = options.discard ?? false;
    const content: Content = { message, discard };
    await tx.query
      .insertInto("mail_queue")
      .values({
        id,
        sealed: seal(deps.rootKeys, deps.random, placeOf(id), JSON.stringify(content)),
        lane: laneOf(message),
        attempts: 0,
        due_at: now,
        leased_until: 0,
        expires_at: options.expiresAt ?? now + keptMs,
        created_at: now,
        discarded: discard ? 1 : 0,
      })
      .execute();
    tx.afterCommit(deps.wake);
  },
});

/** @throws UnsealError when the row was tampered with or the root key is not at hand */
export const openQueued = (
  rootKeys: RootKeys,
  row: { readonly id: string; readonly sealed: string },
): Content =>
  // What opens was sealed by `enqueue`: nobody else has the key.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  JSON.parse(open(rootKeys, placeOf(row.id), row.sealed).reveal()) as Content;

/** How many mails are on their way, how many of those were tried in vain, and since when the oldest waits. */
export type Waiting = {
  readonly mails: number;
  readonly failing: number;
  readonly since: number | undefined;
};

export const mailsWaiting = async (query: Store["query"]): Promise<Waiting> => {
  const row = await query
    .selectFrom("mail_queue")
    .select((eb) => [
      eb.fn.countAll<number>().as("mails"),
      eb.fn.count<number>(eb.case().when("attempts", ">", 0).then(1).end()).as("failing"),
      eb.fn.min("created_at").as("since"),
    ])
    .executeTakeFirstOrThrow();
  return { mails: row.mails, failing: row.failing, since: row.since ?? undefined };
};
