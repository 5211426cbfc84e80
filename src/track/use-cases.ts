import { Refusal } from "../kernel/errors.ts";
import type { Incoming } from "../kernel/http/incoming.ts";
import type { Secret } from "../kernel/secret.ts";
import type { Caller, Person } from "./caller.ts";
import { readEntries } from "./entries/read-entries.ts";
import { writeEntries } from "./entries/write-entries.ts";
import { changeMe, type AccountChanger, type ChangeMe } from "./me/change-me.ts";
import { readMe, type ReadMeDeps } from "./me/read-me.ts";
import { shownOrganization, shownWorkspace } from "./workspaces/shown-workspace.ts";
import { organizationsOf, workspaceOf, workspacesOf } from "./store/workspaces.ts";
import { refusals } from "./refusals.ts";

/** What this room asks of the accounts behind its callers. */
export type AccountActions<Principal extends Caller, Email> = AccountChanger<
  Principal,
  Incoming,
  Email,
  Person
> & {
  readonly replaceToken: (caller: Principal, incoming: Incoming) => Promise<Secret>;
  readonly close: (caller: Principal, incoming: Incoming) => Promise<void>;
};

type Deps<Principal extends Caller, Email> = ReadMeDeps & {
  readonly accounts: AccountActions<Principal, Email>;
};

export const createUseCases = <Principal extends Caller, Email>(deps: Deps<Principal, Email>) => {
  const { store, accounts } = deps;
  const read = readMe(deps);
  const change = changeMe(deps);
  return {
    ...readEntries(deps),
    ...writeEntries(deps),
    me: read.me,
    meWithRelatedData: read.meWithRelatedData,
    changeMe: async (caller: Principal, body: ChangeMe, incoming: Incoming) =>
      read.editedMe(await change(caller, body, incoming)),
    resetToken: async (caller: Principal, incoming: Incoming): Promise<string> =>
      (await accounts.replaceToken(caller, incoming)).reveal(),
    closeAccount: accounts.close,
    organizations: async (caller: Principal) =>
      (await organizationsOf(store.query, caller.account.id)).map(shownOrganization),
    workspaces: async (caller: Principal) =>
      (await workspacesOf(store.query, caller.account.id)).map(shownWorkspace),
    /** @throws Refusal not_found, also for a workspace of somebody else */
    workspace: async (caller: Principal, id: number) => {
      const row = await workspaceOf(store.query, caller.account.id, id);
      if (!row) throw new Refusal(refusals.not_found);
      return shownWorkspace(row);
    },
  };
};

export type TrackUseCases<Principal extends Caller> = ReturnType<typeof createUseCases<Principal, unknown>>;
