import { hour, minute } from "../../kernel/clock.ts";
import type { Limits } from "../../kernel/config.ts";
import type { TryPolicy } from "../../kernel/limits/tries.ts";

/**
 * How often what may be tried, as data. Every channel that takes a password goes by the same three
 * policies, so no channel is the weak one.
 */
export type AccountLimits = {
  /** Wrong passwords for a submitted address, whether or not anybody has it. */
  readonly passwordOfAddress: TryPolicy;
  /** Wrong passwords typed within a live session or behind a token: strangers can't use these tries up. */
  readonly passwordOfCredential: TryPolicy;
  readonly passwordsOfNetwork: TryPolicy;
  readonly signUpsOfNetwork: TryPolicy;
  readonly codesOfNetwork: TryPolicy;
  readonly mailsToAddress: TryPolicy;
};

export const accountLimits = (limits: Limits): AccountLimits => ({
  passwordOfAddress: {
    name: "password-of-address",
    tries: limits.passwordTries,
    windowMs: 15 * minute,
    then: "wait",
  },
  passwordOfCredential: {
    name: "password-of-credential",
    tries: limits.passwordTries,
    windowMs: 15 * minute,
    then: "wait",
  },
  passwordsOfNetwork: {
    name: "passwords-of-network",
    tries: limits.networkTries,
    windowMs: 10 * minute,
    then: "refuse",
  },
  signUpsOfNetwork: { name: "sign-ups-of-network", tries: limits.signUps, windowMs: hour, then: "refuse" },
  codesOfNetwork: { name: "codes-of-network", tries: 100, windowMs: 10 * minute, then: "refuse" },
  mailsToAddress: { name: "mails-to-address", tries: limits.mails, windowMs: hour, then: "refuse" },
});
