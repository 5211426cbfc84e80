import type { Person } from "../caller.ts";
import type { TrackProfile, WorkspaceRow } from "../store/tables.ts";
import { gravatar } from "../wire/gravatar.ts";
import { instant } from "../wire/times.ts";
import { shownWorkspace } from "../workspaces/shown-workspace.ts";

/** The caller, field by field, in the order of the recorded answer (contract §3.1). */

export type PersonFacts = {
  readonly person: Person;
  readonly profile: TrackProfile;
  /** Left out when the operator does not reveal tokens, or there is none. */
  readonly token: string | undefined;
  readonly intercomHash: string;
};

/** The answer to `PUT /me`: without hash, providers and authorization time. @param at the time of the call */
export const shownEditedMe = ({ person, profile, token }: PersonFacts, at: string) => ({
  id: person.id,
  ...(token === undefined ? {} : { api_token: token }),
  email: person.email,
  fullname: person.displayName,
  timezone: person.timezone,
  toggl_accounts_id: person.publicId,
  default_workspace_id: profile.default_workspace_id,
  beginning_of_week: profile.beginning_of_week,
  image_url: gravatar(person.email),
  created_at: instant(person.createdAt),
  updated_at: instant(person.updatedAt),
  openid_email: null,
  openid_enabled: false,
  country_id: profile.country_id,
  has_password: person.passwordHash !== null,
  at,
});

export type RelatedData = { readonly workspaces: readonly WorkspaceRow[] };

export const shownMe = (facts: PersonFacts, at: string, related: RelatedData | undefined) => ({
  ...shownEditedMe(facts, at),
  intercom_hash: facts.intercomHash,
  oauth_providers: [],
  ...(related === undefined
    ? {}
    : {
        tags: [],
        clients: [],
        time_entries: [],
        projects: [],
        workspaces: related.workspaces.map(shownWorkspace),
      }),
  authorization_updated_at: instant(facts.person.authorizationUpdatedAt),
});
