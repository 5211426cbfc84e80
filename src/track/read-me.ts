import type { Clock } from "../kernel/clock.ts";
import { keyedDigest } from "../kernel/crypto/digest.ts";
import { createFreshCache } from "../kernel/db/fresh-cache.ts";
import type { Store } from "../kernel/db/store.ts";
import type { Secret } from "../kernel/secret.ts";
import type { Caller, Person } from "./caller.ts";
import { shownEditedMe, shownMe, shownPerson, type ShownPerson } from "./shown.ts";
import { profileOf, workspacesOf } from "./store.ts";

export type ReadMeDeps<Principal extends Caller> = {
  readonly store: Store;
  readonly clock: Clock;
  /** Keys the hash that Toggl's clients hand to Intercom: here it only has the form. */
  readonly intercomKey: Buffer;
  readonly revealToken: (caller: Principal) => Promise<Secret | undefined>;
};

/** The caller, as this API shows them. */
export const readMe = <Principal extends Caller>(deps: ReadMeDeps<Principal>) => {
  const cache = createFreshCache<ShownPerson>(deps.store.changes, { max: 20_000 });

  const load = (key: string, person: Person): Promise<ShownPerson | undefined> =>
    cache.load(key, async () => {
      const profile = await profileOf(deps.store.query, person.id);
      const intercomHash = keyedDigest(deps.intercomKey, person.publicId);
      return profile && { accountId: person.id, value: shownPerson(person, profile, intercomHash) };
    });

  const shownOf = async (person: Person): Promise<ShownPerson> => {
    const key = String(person.id);
    const shown = cache.get(key) ?? (await load(key, person));
    if (!shown) throw new Error(`Account ${person.id} has no profile.`);
    return shown;
  };

  const factsOf = async (caller: Principal, person: Person) => ({
    id: person.id,
    shown: await shownOf(person),
    token: (await deps.revealToken(caller))?.reveal(),
    now: deps.clock.now(),
  });

  return {
    me: async (caller: Principal, withRelatedData: boolean) => {
      const related = withRelatedData
        ? { workspaces: await workspacesOf(deps.store.query, caller.account.id) }
        : undefined;
      return shownMe(await factsOf(caller, caller.account), related);
    },
    /** After a change: the person as they are now. */
    editedMe: async (caller: Principal, person: Person) => shownEditedMe(await factsOf(caller, person)),
  };
};
