import { randomUUID } from "node:crypto";
import type { Clock } from "../../kernel/clock.ts";
import { keyedDigest } from "../../kernel/crypto/digest.ts";
import type { Store } from "../../kernel/db/store.ts";
import type { Secret } from "../../kernel/secret.ts";
import type { Caller, Person } from "../caller.ts";
import { profileOf } from "../store/profiles.ts";
import { workspacesOf } from "../store/workspaces.ts";
import { instant } from "../wire/times.ts";
import { shownEditedMe, shownMe, type PersonFacts } from "./shown-me.ts";

export type ReadMeDeps = {
  readonly store: Store;
  readonly clock: Clock;
  /** Keys the hash that Toggl's clients hand to Intercom: here it only has the form. */
  readonly intercomKey: Buffer;
  readonly revealToken: (accountId: number) => Promise<Secret | undefined>;
};

/** Stands where the time of the call comes. Nobody can have typed it: it is drawn anew by each process. */
const timeMark = randomUUID();

/** The answer but for the time of the call, which is all that changes while the account stays the same. */
type ReadyMe = { readonly before: string; readonly after: string };

/**
 * The caller, as this API shows them. Clients ask with every poll, so the answer is kept as text, as long as
 * the object lives that says who the caller is: any change of the account, also of what this room keeps of it,
 * makes that a new one. The text has the token in it; but who can read this memory has the root key too.
 */
export const readMe = (deps: ReadMeDeps) => {
  const { store, clock } = deps;
  const ready = new WeakMap<Person, ReadyMe>();

  const factsOf = async (person: Person): Promise<PersonFacts> => {
    const profile = await profileOf(store.query, person.id);
    if (!profile) throw new Error(`Account ${person.id} has no profile.`);
    const token = (await deps.revealToken(person.id))?.reveal();
    return { person, profile, token, intercomHash: keyedDigest(deps.intercomKey, person.publicId) };
  };

  const prepare = async (person: Person): Promise<ReadyMe> => {
    const text = JSON.stringify(shownMe(await factsOf(person), timeMark, undefined));
    const [before = "", after = ""] = text.split(timeMark);
    ready.set(person, { before, after });
    return { before, after };
  };

  return {
    /** As JSON text. */
    me: async ({ account }: Caller): Promise<string> => {
      const { before, after } = ready.get(account) ?? (await prepare(account));
      return before + instant(clock.now()) + after;
    },
    meWithRelatedData: async ({ account }: Caller) =>
      shownMe(await factsOf(account), instant(clock.now()), {
        workspaces: await workspacesOf(store.query, account.id),
      }),
    /** After a change: the person as they are now. */
    editedMe: async (person: Person) => shownEditedMe(await factsOf(person), instant(clock.now())),
  };
};
