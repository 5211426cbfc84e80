import { createHash } from "node:crypto";
import type { Person } from "./caller.ts";
import type { OrganizationRow, TrackProfile, WorkspaceRow } from "./store.ts";

/** What leaves this room, field by field, in the order of the recorded answers (contract §3.1, §7.5, §7.6). */

let lastSecond = Number.NaN;
let lastSecondText = "";

/** RFC 3339 in UTC with `Z`, without trailing zeros of the fraction: `2024-12-09T21:05:30.12Z`. */
export const instant = (at: number): string => {
  const second = Math.floor(at / 1000);
  // Nearly every call is in the second of the call before.
  if (second !== lastSecond) {
    lastSecond = second;
    lastSecondText = new Date(second * 1000).toISOString().slice(0, 19);
  }
  const thousandths = at - second * 1000;
  return thousandths === 0
    ? `${lastSecondText}Z`
    : `${lastSecondText}${String(thousandths / 1000).slice(1)}Z`;
};

/** Seconds only and a numeric offset, as workspaces and organizations have it: `2024-12-09T21:05:30+00:00`. */
const instantWithOffset = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}+00:00`;

const gravatar = (email: string): string => {
  const name = createHash("md5").update(email.trim().toLowerCase()).digest("hex");
  return `https://secure.gravatar.com/avatar/${name}?d=404&s=200`;
};

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

/** The values of Toggl's free plan, where this server has no such setting. */
export const shownWorkspace = (workspace: WorkspaceRow) => ({
  id: workspace.id,
  organization_id: workspace.organization_id,
  name: workspace.name,
  premium: false,
  business_ws: false,
  admin: true,
  role: "admin",
  suspended_at: null,
  server_deleted_at: null,
  default_hourly_rate: null,
  rate_last_updated: null,
  default_currency: "USD",
  only_admins_may_create_projects: false,
  only_admins_may_create_tags: false,
  only_admins_see_billable_rates: false,
  only_admins_see_team_dashboard: false,
  projects_billable_by_default: true,
  projects_private_by_default: true,
  projects_enforce_billable: false,
  limit_public_project_data: false,
  last_modified: instantWithOffset(workspace.updated_at),
  reports_collapse: true,
  rounding: 0,
  rounding_minutes: 0,
  // Deprecated by Toggl; a second secret that nobody needs does not exist here.
  api_token: null,
  at: instantWithOffset(workspace.updated_at),
  logo_url: null,
  ical_url: null,
  ical_enabled: false,
  csv_upload: null,
  subscription: null,
  hide_start_end_times: false,
  working_hours_in_minutes: null,
});

export const shownOrganization = (organization: OrganizationRow) => ({
  id: organization.id,
  name: organization.name,
  pricing_plan_id: 0,
  created_at: instantWithOffset(organization.created_at),
  at: instantWithOffset(organization.updated_at),
  server_deleted_at: null,
  is_multi_workspace_enabled: false,
  suspended_at: null,
  user_count: 1,
  trial_info: {
    trial: false,
    trial_available: false,
    trial_end_date: null,
    next_payment_date: null,
    last_pricing_plan_id: null,
    can_have_trial: false,
    trial_plan_id: null,
  },
  is_unified: false,
  max_workspaces: 20,
  permissions: null,
  admin: true,
  owner: true,
  pricing_plan_name: "",
  pricing_plan_enterprise: false,
});
