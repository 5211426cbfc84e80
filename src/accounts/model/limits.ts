import { hour, minute } from "../../kernel/clock.ts";
import type { Limits } from "../../kernel/config.ts";
import type { TryPolicy } from "../../kernel/limits/tries.ts";

/**
 * How often what may be tried, as data. Every channel that takes a password goes by the same
 * policies, so no channel is the weak one.
 */
export type AccountLimits = {
  /** Wrong passwords for a submitted address, whether or not anybody has it. */
  readonly passwordOfAddress: TryPolicy;
  /** Wrong passwords for one account from a browser in which somebody signed in to it before. */
  readonly passwordOfDevice: TryPolicy;
  /** Wrong passwords typed within a live session or behind a token: strangers can't use these tries up. */
  readonly passwordOfCredential: TryPolicy;
  readonly passwordsOfNetwork: TryPolicy;
  readonly signUpsOfNetwork: TryPolicy;
  readonly codesOfNetwork: TryPolicy;
  readonly mailsToAddress: TryPolicy;
  /** Of these, the ones that one network asks for: a stranger must leave some to the owner. */
  readonly mailsToAddressFromNetwork: TryPolicy;
  /** Each one is a mail, also to those who are told of everything. */
  readonly closingsOfAccount: TryPolicy;
  readonly tokenMailsOfAccount: TryPolicy;
};

export const accountLimits = (limits: Limits): AccountLimits => ({
  passwordOfAddress: {
    name: "password-of-address",
    tries: limits.passwordTries,
    windowMs: 15 * minute,
    then: "wait",
  },
  passwordOfDevice: {
    name: "password-of-device",
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
  mailsToAddressFromNetwork: {
    name: "mails-to-address-from-network",
    tries: Math.ceil((limits.mails * 2) / 5),
    windowMs: hour,
    then: "refuse",
  },
  closingsOfAccount: { name: "closings-of-account", tries: limits.mails, windowMs: hour, then: "refuse" },
  tokenMailsOfAccount: {
    name: "token-mails-of-account",
    tries: limits.mails,
    windowMs: hour,
    then: "refuse",
  },
});
