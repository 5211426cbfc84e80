import { minute } from "../../kernel/clock.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { Reservation, TryPolicy } from "../../kernel/limits/tries.ts";
import { triesOfNetwork } from "../../kernel/limits/network-tries.ts";
import type { RoomDeps } from "../deps.ts";
import { mostTries } from "../model/connect-session.ts";
import { countTry, giveTryBack } from "../store/connect-sessions.ts";
import type { Submission } from "./submission.ts";
import { refusals } from "../model/refusals.ts";

/** Guesses that are spread over many sessions still come from somewhere. */
const linksOfNetwork: TryPolicy = {
  name: "links-of-network",
  tries: 100,
  windowMs: 10 * minute,
  then: "refuse",
};

/** What is no wrong guess asks the provider all the same, and is told to the app: that needs an end as well. */
const submitsOfSession: TryPolicy = {
  name: "submits-of-session",
  tries: 60,
  windowMs: 10 * minute,
  then: "refuse",
};
const submitsOfNetwork: TryPolicy = { ...submitsOfSession, name: "submits-of-network", tries: 300 };

const tooManyTries = (): Refusal =>
  new Refusal(refusals.rate_limited, {
    text: "Too many wrong tries with this link. Ask the app for a new one.",
  });

/**
 * Every submission counts once, whatever comes of it. Wrong credentials count besides, against the few wrong tries of a
 * session, and nothing else does: nobody is locked out by the provider's bad day. Work that succeeds has given the
 * session's try back itself, together with what it wrote. A try that can't be given back afterwards is lost, and changes
 * nothing about what became of the work.
 *
 * @throws Refusal rate_limited, and whatever the work throws
 */
export const whileCounted = async <Result>(
  { store, tries, log }: Pick<RoomDeps, "store" | "tries" | "log">,
  { session, peer }: Pick<Submission, "session" | "peer">,
  work: () => Promise<Result>,
): Promise<Result> => {
  const counts = [
    ...triesOfNetwork(linksOfNetwork, peer.network),
    { policy: submitsOfSession, value: session.digest, kept: true as const },
    ...triesOfNetwork(submitsOfNetwork, peer.network).map((count) => ({ ...count, kept: true as const })),
  ] as const;
  const reserved =
    (await tries.refused(counts)) ??
    (await store.transaction(async (tx): Promise<Reservation | "used up"> => {
      const counted = await tries.reserveIn(tx, counts);
      if (!counted.ok || (await countTry(tx.query, session.id, mostTries))) return counted;
      await counted.refundIn(tx);
      return "used up";
    }));
  if (reserved === "used up") throw tooManyTries();
  if (!reserved.ok) throw new Refusal(refusals.rate_limited, { retryAfter: reserved.retryAfterSeconds });
  const givenBack = (giving: Promise<unknown>): Promise<unknown> =>
    giving.catch((error: unknown) => log.warn("link_try_not_given_back", { error }));
  let result: Result;
  try {
    result = await work();
  } catch (error) {
    if (!(error instanceof Refusal && error.code === "connection_test_failed")) {
      await givenBack(
        store.transaction(async (tx) => {
          await reserved.refundIn(tx);
          await giveTryBack(tx.query, session.id);
        }, "patient"),
      );
    }
    throw error;
  }
  await givenBack(reserved.refund());
  return result;
};
