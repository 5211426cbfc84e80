import { Refusal } from "../../kernel/errors.ts";
import type { Secret } from "../../kernel/secret.ts";
import type { Peer } from "../model/account.ts";
import type { AccountDeps } from "../deps.ts";
import { deviceDigest, rememberDevice } from "./remember-device.ts";
import type { Sessions } from "./sessions.ts";
import type { PasswordChecks } from "../credentials/verify-password.ts";

type Deps = Pick<AccountDeps, "store" | "audit" | "random" | "clock"> & {
  readonly sessions: Sessions;
  readonly passwordChecks: PasswordChecks;
};

export type SignInFacts = {
  readonly email: string;
  readonly password: Secret;
  readonly remember: boolean;
  /** Undefined with Basic, which is for programs. */
  readonly device: ShownDevice | undefined;
};

/** What a request tells of the browser that it came from. */
export type ShownDevice = {
  readonly cookie: string | undefined;
  /** Whether it is a browser that keeps cookies. A program may well take two `Set-Cookie` lines for one. */
  readonly keeps: boolean;
};

/** `Set-Cookie` lines of somebody who is signed in now. */
export type Entered = { readonly session: string; readonly device: string | undefined };

/**
 * Starts a session for whoever knows the password. Always a new one: no cookie that was there before is
 * ever the cookie after.
 * @throws Refusal credentials_wrong, email_unverified, login_throttled, busy
 */
export const signIn =
  (deps: Deps) =>
  async ({ email, password, remember, device }: SignInFacts, peer: Peer): Promise<Entered> => {
    const { account, counted } = await deps.passwordChecks.ofAddress(
      email,
      password,
      peer,
      deviceDigest(device?.cookie),
    );
    const signer = await deps.sessions.signer();
    try {
      return await deps.store.transaction(async (tx) => {
        const session = await deps.sessions.issue(tx, account, { remember, peer, signer });
        await deps.audit.record(tx.query, {
          event: "sign_in",
          outcome: "done",
          channel: "password",
          accountId: account.id,
          ...peer,
        });
        await counted.refundIn(tx);
        return {
          session,
          device: device?.keeps ? await rememberDevice(deps, tx, account.id, device.cookie) : undefined,
        };
      });
    } catch (error) {
      // Nothing was written, and the password was right. After a fault of the store nobody knows what was.
      if (error instanceof Refusal) await counted.refund();
      throw error;
    }
  };
