import { z } from "zod";
import { type Store, type Tx } from "../../kernel/db/store.ts";
import { invalid, type RefusalKind } from "../../kernel/errors.ts";
import { Secret } from "../../kernel/secret.ts";
import { isTimeZone } from "../../kernel/text/time-zone.ts";
import type { Caller } from "../caller.ts";
import { editProfile } from "../store/profiles.ts";
import type { TrackProfile } from "../store/tables.ts";
import { workspaceOf } from "../store/workspaces.ts";

/** How many characters count is the operator's; the sentence is the contract's (§3.2). */
const tooShort = (minimum: number): string => `Password should be at least ${minimum} characters`;

/** Counted as the accounts count: what is typed decomposed is not longer for it. */
const hasAtLeast = (minimum: number) => (text: string) => Array.from(text.normalize("NFC")).length >= minimum;

const invalidField = (field: string) => ({ error: `Invalid ${field}` });

/**
 * The body of `PUT /me`. Clients send back what they got, so fields that can't be written are ignored, and
 * so is a null where the field has no value to forget.
 */
export const changeMeBody = (passwordMin: number) =>
  z.object({
    beginning_of_week: z.int(invalidField("beginning_of_week")).min(0).max(6).nullish(),
    country_id: z.int(invalidField("country_id")).min(1).max(100_000).nullish(),
    current_password: z.string(invalidField("current_password")).nullish(),
    default_workspace_id: z.int(invalidField("default_workspace_id")).min(1).nullish(),
    email: z.string(invalidField("email")).nullish(),
    fullname: z.string(invalidField("fullname")).nullish(),
    password: z
      .string(invalidField("password"))
      .refine(hasAtLeast(passwordMin), tooShort(passwordMin))
      .meta({ format: "password", minLength: passwordMin })
      .nullish(),
    timezone: z.string(invalidField("timezone")).refine(isTimeZone, invalidField("timezone")).nullish(),
  });

export type ChangeMe = z.output<ReturnType<typeof changeMeBody>>;

/** What the accounts behind this API are asked to change, and how they judge a name and an address. */
export type AccountChanger<Principal, Peer, Email, Account> = {
  /** How a change is refused that is well-formed. */
  readonly changeRefuses: readonly RefusalKind[];
  /** How a closing is refused. */
  readonly closeRefuses: readonly RefusalKind[];
  readonly change: (
    caller: Principal,
    change: {
      readonly displayName?: string | undefined;
      readonly timezone?: string | undefined;
      readonly email?: Email | undefined;
      readonly password?: Secret | undefined;
      readonly currentPassword?: Secret | undefined;
    },
    peer: Peer,
    alongside: (tx: Tx) => Promise<void>,
  ) => Promise<Account>;
  /** Undefined when it is no address. */
  readonly emailOf: (text: string) => Email | undefined;
  readonly isDisplayName: (name: string) => boolean;
};

/** Present, and not null. */
const given = <Value>(value: Value | null | undefined): value is Value =>
  value !== undefined && value !== null;

const secretOf = (text: string | null | undefined): Secret | undefined =>
  given(text) ? new Secret(text) : undefined;

/**
 * Changes the caller's profile, e-mail address or password: all of it or, when anything is refused, none.
 * @throws Refusal input_invalid with the sentences of contract §3.2; login_throttled
 */
export const changeMe = <Principal extends Caller, Peer, Email, Account>(deps: {
  readonly store: Store;
  readonly accounts: AccountChanger<Principal, Peer, Email, Account>;
}) => {
  const { store, accounts } = deps;
  return async (caller: Principal, body: ChangeMe, peer: Peer): Promise<Account> => {
    const email = given(body.email) ? accounts.emailOf(body.email) : undefined;
    if (given(body.email) && email === undefined) throw invalid("email", "invalid", "Invalid email");
    if (given(body.fullname) && !accounts.isDisplayName(body.fullname)) {
      throw invalid("fullname", "invalid", "Invalid fullname");
    }
    const { default_workspace_id: workspaceId } = body;
    if (given(workspaceId) && !(await workspaceOf(store.query, caller.account.id, workspaceId))) {
      throw invalid("default_workspace_id", "unknown", "Invalid default_workspace_id");
    }
    const edit: Partial<Omit<TrackProfile, "account_id">> = {
      ...(given(workspaceId) ? { default_workspace_id: workspaceId } : {}),
      ...(given(body.beginning_of_week) ? { beginning_of_week: body.beginning_of_week } : {}),
      ...(body.country_id === undefined ? {} : { country_id: body.country_id }),
    };
    return accounts.change(
      caller,
      {
        displayName: body.fullname?.trim(),
        timezone: body.timezone ?? undefined,
        email,
        password: secretOf(body.password),
        currentPassword: secretOf(body.current_password),
      },
      peer,
      (tx) => editProfile(tx.query, caller.account.id, edit),
    );
  };
};
