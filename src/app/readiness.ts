import { stat } from "node:fs/promises";
import { Refusal, refusals } from "#kernel/errors.ts";
import type { Store, StoreAddress } from "#kernel/db/store.ts";
import type { Drain } from "#kernel/http/drain.ts";
import { proveWritable } from "#kernel/db/inspect.ts";

/** Whether this process can do its work, asked the hard way: it can write, and it learns of what others change. */
export type Readiness = {
  /** @throws Refusal stopping; store_unavailable, with the reason for the log */
  check(): Promise<void>;
};

/** An answer is good for this long, and shared by all who ask meanwhile: anybody may ask as often as they like. */
const answerLivesMs = 1000;

/** A SQLite file that was deleted or replaced under us: what we write goes where nobody will look for it. */
const fileWatch = async (address: StoreAddress): Promise<() => Promise<void>> => {
  if (address.kind === "postgres") return () => Promise.resolve();
  const identity = async (): Promise<string> => {
    const { dev, ino } = await stat(address.path);
    return `${dev}:${ino}`;
  };
  const opened = await identity();
  return async () => {
    if ((await identity()) === opened) return;
    throw new Error(`${address.path} is not the file that this process has open: it was replaced`);
  };
};

/**
 * @param store open and migrated
 * @param drain a process that is about to end is not ready, whatever its store says
 */
export const createReadiness = async (
  store: Store,
  address: StoreAddress,
  drain: Pick<Drain, "hasBegun">,
): Promise<Readiness> => {
  const assertSameFile = await fileWatch(address);
  const ask = async (): Promise<void> => {
    await assertSameFile();
    await proveWritable(store);
    if (!store.changes.isCurrent()) throw new Error("Changes of other processes are not known here");
  };
  let asked: { readonly at: number; readonly answer: Promise<void> } | undefined;
  return {
    check: async () => {
      if (drain.hasBegun()) throw new Refusal(refusals.stopping, { retryAfter: 1 });
      if (asked === undefined || performance.now() - asked.at > answerLivesMs) {
        const answer = ask();
        // Whoever waits for it hears of it; nobody may.
        answer.catch(() => undefined);
        asked = { at: performance.now(), answer };
      }
      await asked.answer.catch((cause: unknown) => {
        throw new Refusal(refusals.store_unavailable, { retryAfter: 1, cause });
      });
    },
  };
};
