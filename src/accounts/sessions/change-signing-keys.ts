import type { Whence } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";

type Deps = Pick<AccountDeps, "signingKeys" | "audit">;

/** A new key signs from now on; the old one verifies until its last session ends. @returns the new key's id */
export const rotateSigningKey =
  ({ signingKeys, audit }: Deps) =>
  (whence: Whence): Promise<string> =>
    signingKeys.rotate((tx, kid) =>
      audit.record(tx.query, {
        event: "signing_key_rotated",
        outcome: "done",
        channel: "cli",
        details: { kid },
        ...whence,
      }),
    );

/** Ends a key, and with it every session that it signed. False when there is no such key. */
export const revokeSigningKey =
  ({ signingKeys, audit }: Deps) =>
  (kid: string, whence: Whence): Promise<boolean> =>
    signingKeys.revoke(kid, (tx) =>
      audit.record(tx.query, {
        event: "signing_key_revoked",
        outcome: "done",
        channel: "cli",
        details: { kid },
        ...whence,
      }),
    );
