import { hash as argonHash, verify as argonVerify } from "@node-rs/argon2";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";

import { Refusal, refusals } from "../../errors.ts";
import { systemRandom as random } from "../../ids.ts";
import { Secret } from "../../secret.ts";
import { createGate, type Gate } from "./gate.ts";
import { createPasswords, currentParameters } from "./password.ts";

// The smallest cost Argon2 knows, so that hundreds of hashes cost little.
const parameters = { memory: 16, passes: 2, lanes: 1 };
const gate = createGate({ atOnce: 2, maxWaitMs: 10_000 });
const passwords = createPasswords({ gate, random, parameters });

const matches = async (typed: string, stored: string | undefined): Promise<boolean> =>
  (await passwords.verify(new Secret(typed), stored)).matches;

describe("hashing", () => {
  test("uses Argon2id with 19 MiB, two passes and one lane unless told otherwise", async () => {
    expect(currentParameters).toEqual({ memory: 19_456, passes: 2, lanes: 1 });
    const stored = await createPasswords({ gate, random }).hash(new Secret("correct horse"));
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(await argonVerify(stored, "correct horse")).toBe(true);
  });

  test("salts: the same password never has the same hash", async () => {
    const one = await passwords.hash(new Secret("correct horse"));
    const other = await passwords.hash(new Secret("correct horse"));
    expect(one).not.toBe(other);
    expect(await matches("correct horse", one)).toBe(true);
    expect(await matches("correct horse", other)).toBe(true);
    expect(await matches("correct horsf", one)).toBe(false);
  });
});

describe("A16 the whole password counts", () => {
  test("after byte 72 and after NUL", async () => {
    const tail = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("x".repeat(72), "é".repeat(36), "short\0", "\0"),
        tail,
        tail,
        async (head, a, b) => {
          fc.pre(
            a.normalize("NFC") !== b.normalize("NFC") &&
              (head + a).isWellFormed() &&
              (head + b).isWellFormed(),
          );
          const stored = await passwords.hash(new Secret(head + a));
          expect(await matches(head + a, stored)).toBe(true);
          expect(await matches(head + b, stored)).toBe(
            (head + a).normalize("NFC") === (head + b).normalize("NFC"),
          );
          expect(await matches(head, stored)).toBe(false);
        },
      ),
      { seed: 4, numRuns: 60 },
    );
  });

  test("up to its 1,024th character", async () => {
    const stored = await passwords.hash(new Secret(`${"🔑".repeat(1023)}a`));
    expect(await matches(`${"🔑".repeat(1023)}a`, stored)).toBe(true);
    expect(await matches(`${"🔑".repeat(1023)}b`, stored)).toBe(false);
  });
});

describe("A17 normalisation", () => {
  test("composed and decomposed spellings are one password, both ways", async () => {
    for (const word of ["Pässwört-é", "가나다라마바사아", "ᾂ-ᾂ-ᾂ-ᾂ"]) {
      const [nfc, nfd] = [word.normalize("NFC"), word.normalize("NFD")];
      expect(nfc).not.toBe(nfd);
      expect(await matches(nfd, await passwords.hash(new Secret(nfc)))).toBe(true);
      expect(await matches(nfc, await passwords.hash(new Secret(nfd)))).toBe(true);
    }
  });

  test.each([
    ["ﬁnal words", "final words"],
    ["Correct horse", "correct horse"],
    ["ｆｕｌｌｗｉｄｔｈ", "fullwidth"],
    ["straße 12", "strasse 12"],
    ["trailing", "trailing "],
    ["x² + y²", "x2 + y2"],
  ])("%j and %j stay two", async (one, other) => {
    expect(await matches(other, await passwords.hash(new Secret(one)))).toBe(false);
  });

  test.each(Array.from("\u00a0\u1680\u2000\u2007\u200a\u202f\u205f\u3000", (space) => [space]))(
    "%j is a space, both ways, and what was hashed with it before still matches",
    async (space) => {
      const [odd, plain] = [`pass${space}word`, "pass word"];
      expect(await matches(plain, await passwords.hash(new Secret(odd)))).toBe(true);
      expect(await matches(odd, await passwords.hash(new Secret(plain)))).toBe(true);

      const former = await argonHash(odd.normalize("NFC"), { memoryCost: 16, timeCost: 2, parallelism: 1 });
      expect(await passwords.verify(new Secret(odd), former)).toEqual({ matches: true, rehash: true });
      expect(await passwords.verify(new Secret(plain), former)).toEqual({ matches: false, rehash: false });
    },
  );

  test("with another space, whatever is stored costs two verifies when it is wrong", async () => {
    let hashes = 0;
    const counted: Gate = {
      ...gate,
      run: (work) => {
        hashes += 1;
        return gate.run(work);
      },
    };
    const counting = createPasswords({ gate: counted, random, parameters });
    const stored = await passwords.hash(new Secret("another"));
    for (const known of [stored, undefined, "no hash"]) {
      hashes = 0;
      await counting.verify(new Secret("pass\u00a0word"), known);
      expect(hashes).toBe(2);
      hashes = 0;
      await counting.verify(new Secret("pass word"), known);
      expect(hashes).toBe(1);
    }
  });

  test("texts are one password exactly when they are canonically equal", async () => {
    const text = fc.string({
      unit: fc.constantFrom("e", "\u0301", "é", "ﬁ", "f", "i", "ſ", "s", "K", "\u212a"),
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(text, text, async (one, other) => {
        const equal = one.normalize("NFC") === other.normalize("NFC");
        expect(await matches(other, await passwords.hash(new Secret(one)))).toBe(equal);
      }),
      { seed: 5, numRuns: 80 },
    );
  });

  test("lone surrogates are no password, and match none", async () => {
    await expect(passwords.hash(new Secret("password\ud800"))).rejects.toThrow(TypeError);
    const stored = await passwords.hash(new Secret("password\ufffd"));
    expect(await matches("password\ufffd", stored)).toBe(true);
    expect(await matches("password\ud800", stored)).toBe(false);
  });
});

describe("A21 a stored hash", () => {
  const stored = async (
    memory: number,
    passes: number,
    lanes = 1,
    outputLen = 32,
    salt = 16,
  ): Promise<string> =>
    argonHash("correct horse", {
      memoryCost: memory,
      timeCost: passes,
      parallelism: lanes,
      outputLen,
      salt: Buffer.alloc(salt, 5),
    });

  test.each([
    ["of today's cost", 16, 2, 32, 16, false],
    ["of more memory and passes", 32, 3, 32, 16, false],
    ["of less memory", 8, 2, 32, 16, true],
    ["of fewer passes", 16, 1, 32, 16, true],
    ["with a shorter tag", 16, 2, 16, 16, true],
    ["with a shorter salt", 16, 2, 32, 8, true],
  ])("%s matches; hashed anew: %#", async (_, memory, passes, outputLen, salt, rehash) => {
    const phc = await stored(memory, passes, 1, outputLen, salt);
    expect(await passwords.verify(new Secret("correct horse"), phc)).toEqual({ matches: true, rehash });
    // Only the right password may be hashed anew.
    expect(await passwords.verify(new Secret("another"), phc)).toEqual({ matches: false, rehash: false });
  });

  test.each([
    ["with too much memory", (phc: string) => phc.replace("m=16,", "m=262145,")],
    ["with all the memory there is", (phc: string) => phc.replace("m=16,", "m=4294967295,")],
    ["with too many passes", (phc: string) => phc.replace("t=2,", "t=11,")],
    ["with too many lanes", (phc: string) => phc.replace("m=16,t=2,p=1", "m=1024,t=2,p=9")],
    ["with too little memory for its lanes", (phc: string) => phc.replace("p=1", "p=8")],
    ["with no memory", (phc: string) => phc.replace("m=16,", "m=0,")],
    ["with a leading zero", (phc: string) => phc.replace("m=16,", "m=016,")],
    ["of Argon2i", (phc: string) => phc.replace("argon2id", "argon2i")],
    ["of Argon2d", (phc: string) => phc.replace("argon2id", "argon2d")],
    ["of Argon2's version 16", (phc: string) => phc.replace("v=19", "v=16")],
    ["of bcrypt", () => "$2b$12$abcdefghijklmnopqrstuuAbCdEfGhIjKlMnOpQrStUvWxYz01234"],
    ["with a tag of 8 bytes", (phc: string) => phc.slice(0, phc.lastIndexOf("$") + 12)],
    ["with a line end", (phc: string) => `${phc}\n`],
    ["that is empty", () => ""],
    ["that is the password itself", () => "correct horse"],
  ])("%s never matches, costs one verify of the decoy, and throws nothing", async (_, change) => {
    const run = vi.spyOn(gate, "run");
    const phc = change(await stored(16, 2));
    run.mockClear();
    const answer = await passwords.verify(new Secret("correct horse"), phc);
    expect(answer).toEqual({ matches: false, rehash: false });
    expect(run).toHaveBeenCalledTimes(1);
    run.mockRestore();
  });

  test("never makes verify throw, whatever character of it is changed", async () => {
    const phc = await stored(16, 2);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(phc.length - 1),
        fc.constantFrom(..."$=,+/Aa019 \0".split("")),
        async (at, character) => {
          const changed = phc.slice(0, at) + character + phc.slice(at + 1);
          const answer = await passwords.verify(new Secret("correct horse"), changed);
          expect(answer.matches).toBe(changed === phc);
        },
      ),
      { seed: 6, numRuns: 300 },
    );
  });
});

describe("equal work", () => {
  /** A gate that counts, so that cost is seen without measuring time. */
  const counting = () => {
    let runs = 0;
    const counted: Gate = {
      run: (work) => {
        runs += 1;
        return gate.run(work);
      },
      waiting: 0,
      running: 0,
    };
    return { counted, runs: () => runs };
  };

  test("A02 unknown, unusable, too long and wrong each pass the gate once, the very first one too", async () => {
    const phc = await passwords.hash(new Secret("correct horse"));
    for (const [typed, known] of [
      ["correct horse", undefined],
      ["", undefined],
      ["correct horse", "$2b$12$nothing"],
      ["x".repeat(1025), phc],
      ["x".repeat(100_000), phc],
      ["\ud800", phc],
      ["wrong", phc],
      ["correct horse", phc],
    ] as const) {
      const { counted, runs } = counting();
      const fresh = createPasswords({ gate: counted, random, parameters });
      const answer = await fresh.verify(new Secret(typed), known);
      expect(answer.matches).toBe(typed === "correct horse" && known === phc);
      expect(runs()).toBe(1);
    }
  });

  test("A14 a password over 1,024 characters is never hashed, and not even the same one matches", async () => {
    const { counted, runs } = counting();
    const fresh = createPasswords({ gate: counted, random, parameters });
    await expect(fresh.hash(new Secret("x".repeat(1025)))).rejects.toThrow(TypeError);
    expect(runs()).toBe(0);
    const beyond = await argonHash("x".repeat(1025), { memoryCost: 16, timeCost: 2 });
    expect(await matches("x".repeat(1025), beyond)).toBe(false);
    expect(await matches("", undefined)).toBe(false);
  });

  test("A13 what the gate refuses is told as busy", async () => {
    const shut: Gate = { run: () => Promise.reject(new Refusal(refusals.busy)), waiting: 0, running: 0 };
    const closed = createPasswords({ gate: shut, random, parameters });
    await expect(closed.hash(new Secret("correct horse"))).rejects.toMatchObject({ code: "busy" });
    await expect(closed.verify(new Secret("correct horse"), undefined)).rejects.toMatchObject({
      code: "busy",
    });
  });
});
