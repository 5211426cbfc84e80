/** A person's identity: who they are to every product behind this server. */
export type Account = {
  /** Counted up by the store; the `id` of the Track wire. */
  readonly id: number;
  /** 22 characters of base57: the `sub` of sessions, the `toggl_accounts_id` of the Track wire. */
  readonly publicId: string;
  readonly email: string;
  readonly emailCanonical: string;
  readonly emailVerifiedAt: number | null;
  readonly displayName: string;
  readonly timezone: string;
  readonly passwordHash: string | null;
  /** Rises with each change of the password. */
  readonly credentialVersion: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly authorizationUpdatedAt: number;
  readonly lockedAt: number | null;
  readonly closedAt: number | null;
  readonly eraseAt: number | null;
};

/** Locked and closed accounts keep their rows, and none of their credentials works. */
export const isOpen = (account: Account): boolean => account.lockedAt === null && account.closedAt === null;

/** Who a request comes from, and by which credential. */
export type Principal = {
  readonly account: Account;
  readonly via: "session" | "password" | "token";
  /** The `jti`, when a session cookie was shown. */
  readonly sessionId: string | undefined;
  /** Names the credential to the rate limit; reveals nothing of it. */
  readonly credential: string;
};

/** From where, with what, under which request a credential was used: for audit and limits. */
export type Peer = {
  readonly address: string;
  readonly network: string;
  readonly userAgent: string;
  readonly requestId: string;
};

/** Where a doing came from, as far as that is known: an operator at the command line has no address. */
export type Whence = Partial<Peer>;
