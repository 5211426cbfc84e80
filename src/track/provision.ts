import type { Clock } from "../kernel/clock.ts";
import type { Tx } from "../kernel/db/store.ts";
import type { Person } from "./caller.ts";
import { insertProfile } from "./store/profiles.ts";
import { insertMember, insertOrganization, insertWorkspace } from "./store/workspaces.ts";

/** Monday, as Toggl's new accounts have it. */
const monday = 1;

/** What a new account finds here: one organization with one workspace, which is its default. */
export const provision =
  (deps: { readonly clock: Clock }) =>
  async (tx: Tx, person: Person): Promise<void> => {
    const now = deps.clock.now();
    const organizationId = await insertOrganization(
      tx.query,
      { ownerId: person.id, name: `${person.displayName}'s organization` },
      now,
    );
    const workspaceId = await insertWorkspace(
      tx.query,
      { organizationId, name: `${person.displayName}'s workspace` },
      now,
    );
    await insertMember(tx.query, { workspaceId, accountId: person.id, role: "admin" }, now);
    await insertProfile(tx.query, {
      account_id: person.id,
      default_workspace_id: workspaceId,
      beginning_of_week: monday,
      country_id: null,
    });
  };
