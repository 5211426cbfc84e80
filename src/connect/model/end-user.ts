/** Who an app says is linking an account: a user of the app, nobody that this server knows. */
export type EndUser = {
  readonly id: string;
  readonly email: string | null;
  readonly displayName: string | null;
  readonly tags: Readonly<Record<string, string>> | null;
  readonly organization: { readonly id: string; readonly displayName: string | null } | null;
};

/**
 * The tags that a connection gets: those that say who it is of (as the original flattens them), and the app's own, which
 * win.
 */
export const tagsOf = (
  endUser: EndUser | null,
  own: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> => {
  const { email, displayName, organization } = endUser ?? {};
  return {
    ...endUser?.tags,
    ...(endUser ? { end_user_id: endUser.id } : {}),
    ...(email ? { end_user_email: email } : {}),
    ...(displayName ? { end_user_display_name: displayName } : {}),
    ...(organization ? { organization_id: organization.id } : {}),
    ...(organization?.displayName ? { organization_display_name: organization.displayName } : {}),
    ...own,
  };
};
