/** The person behind a call, as far as this room needs to know them. Whoever authenticates hands it in. */
export type Person = {
  readonly id: number;
  readonly publicId: string;
  readonly email: string;
  readonly displayName: string;
  readonly timezone: string;
  readonly passwordHash: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly authorizationUpdatedAt: number;
};

export type Caller = {
  readonly account: Person;
  /** Names the credential to the rate limit. */
  readonly credential: string;
};
