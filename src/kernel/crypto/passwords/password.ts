/** Argon2id (RFC 9106) behind the gate, with the same work whether or not there is a hash to compare with. */
import { hash as argonHash, verify as argonVerify } from "@node-rs/argon2";

import type { Random } from "../../ids.ts";
import type { Secret } from "../../secret.ts";
import type { Gate } from "./gate.ts";
import { canonicalPassword, formerPassword } from "./password-text.ts";

export type PasswordParameters = {
  /** KiB. */
  readonly memory: number;
  readonly passes: number;
  readonly lanes: number;
};

/** 19 MiB, two passes, one lane: the first of the settings that OWASP's Password Storage Cheat Sheet gives. */
export const currentParameters: PasswordParameters = { memory: 19 * 1024, passes: 2, lanes: 1 };

/** A stored hash that asks for more is not computed: a row must not be able to stop the machine. */
const ceilings: PasswordParameters = { memory: 256 * 1024, passes: 10, lanes: 8 };

const saltSize = 16;
const tagSize = 32;

export type PasswordVerdict = { readonly matches: boolean; readonly rehash: boolean };

export type Passwords = {
  /**
   * A PHC string with a new salt.
   *
   * @throws Refusal `busy` from the gate
   * @throws TypeError for a password that `checkPassword` would have refused as too long or not text
   */
  hash(password: Secret): Promise<string>;
  /**
   * Whether the password is the one that was stored, and whether it should be hashed anew because the stored
   * hash is weaker than today's, or of the form that passwords with other spaces had before. Such a password costs two
   * hashes when the first is not it, whatever is stored. With nothing stored, a stored text that is no Argon2id hash within the
   * ceilings, or a password over 1,024 characters, the same work is done on a decoy and the answer is no:
   * neither answer nor time tells these from a wrong password.
   *
   * @throws Refusal `busy` from the gate
   */
  verify(password: Secret, stored: string | undefined): Promise<PasswordVerdict>;
};

const phc =
  /^\$argon2id\$v=19\$m=([1-9]\d{0,9}),t=([1-9]\d{0,9}),p=([1-9]\d{0,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

/** PHC strings have base64 without padding. */
const unpadded = (bytes: Buffer): string => bytes.toString("base64").replaceAll("=", "");

const phcOf = ({ memory, passes, lanes }: PasswordParameters, salt: Buffer, tag: Buffer): string =>
  `$argon2id$v=19$m=${memory},t=${passes},p=${lanes}$${unpadded(salt)}$${unpadded(tag)}`;

type Stored = { readonly phc: string; readonly weak: boolean };

const readStored = (stored: string, current: PasswordParameters): Stored | undefined => {
  const [, m, t, p, salt = "", tag = ""] = phc.exec(stored) ?? [];
  const parameters = { memory: Number(m), passes: Number(t), lanes: Number(p) };
  const saltBytes = Buffer.from(salt, "base64");
  const tagBytes = Buffer.from(tag, "base64");
  // Written back, it must be the same text: this refuses bits left over in the base64.
  if (phcOf(parameters, saltBytes, tagBytes) !== stored) return undefined;
  const { memory, passes, lanes } = parameters;
  if (memory > ceilings.memory || passes > ceilings.passes || lanes > ceilings.lanes) return undefined;
  // RFC 9106 §3.1: at least 8 KiB a lane.
  if (memory < 8 * lanes) return undefined;
  const weak =
    memory < current.memory ||
    passes < current.passes ||
    saltBytes.length < saltSize ||
    tagBytes.length < tagSize;
  return { phc: stored, weak };
};

/** What may have been hashed when this password was chosen, as it is now first. */
const textsOf = (canonical: string, password: Secret): readonly string[] => {
  const former = formerPassword(password.reveal());
  return former === undefined ? [canonical] : [canonical, former];
};

export const createPasswords = (deps: {
  readonly gate: Gate;
  readonly random: Random;
  readonly parameters?: PasswordParameters;
}): Passwords => {
  const { gate, random, parameters = currentParameters } = deps;
  // No password was hashed for it: a random tag costs a verify the same, and no one can know its password.
  const decoy = phcOf(parameters, random.bytes(saltSize), random.bytes(tagSize));

  return {
    hash: async (password) => {
      const canonical = canonicalPassword(password.reveal());
      if (typeof canonical === "string")
        throw new TypeError(`a password that is ${canonical} can't be hashed`);
      return gate.run(() =>
        argonHash(canonical.text, {
          memoryCost: parameters.memory,
          timeCost: parameters.passes,
          parallelism: parameters.lanes,
          outputLen: tagSize,
          salt: random.bytes(saltSize),
        }),
      );
    },
    verify: async (password, stored) => {
      const canonical = canonicalPassword(password.reveal());
      const known = stored === undefined ? undefined : readStored(stored, parameters);
      if (known === undefined || typeof canonical === "string") {
        const texts = typeof canonical === "string" ? [""] : textsOf(canonical.text, password);
        for (const text of texts) await gate.run(() => argonVerify(decoy, text));
        return { matches: false, rehash: false };
      }
      for (const text of textsOf(canonical.text, password)) {
        const matches = await gate.run(() => argonVerify(known.phc, text));
        if (matches) return { matches, rehash: known.weak || text !== canonical.text };
      }
      return { matches: false, rehash: false };
    },
  };
};
