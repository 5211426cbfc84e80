import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { confirmReset, resetCode, signIn, signUp } from "../support/attacks.ts";
import { causesAnyNumber } from "../support/caused.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { sessionOf } from "../support/http.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse({ ...roomy, LATCHKEY_TRUSTED_PROXIES: "127.0.0.1" });
});
afterAll(stopHouses);

let people = 0;
const newcomer = async (password: string): Promise<{ readonly email: string; readonly session: string }> => {
  people += 1;
  const email = `form${people}@example.com`;
  const reply = await signUp(house, email, password);
  const session = sessionOf(reply);
  if (session === undefined) throw new Error(`Sign-up failed: ${reply.text}`);
  return { email, session };
};

/** What each channel says to the password. */
const answers = async (email: string, password: string) => ({
  json: (await signIn(house, email, password)).status,
  basic: (await house.send("POST", "/api/sessions", { basic: [email, password] })).status,
  api: (await house.send("GET", "/api/v9/me", { basic: [email, password] })).status,
});
const everywhere = (status: number) => ({ json: status, basic: status, api: status });

/** Composed and decomposed on different keyboards, in several writings. */
const passwords = [
  "Zażółć gęślą jaźń",
  "Tiếng Việt ở đây",
  "한국어 비밀번호",
  "naïve café ångström",
  "ὕδωρ καὶ πῦρ ἀεί",
];
const nfc = (text: string): string => text.normalize("NFC");
const nfd = (text: string): string => text.normalize("NFD");

describe.each(passwords)("%s", (text) => {
  test.each([
    ["composed", "decomposed", nfc(text), nfd(text)],
    ["decomposed", "composed", nfd(text), nfc(text)],
  ])("A17: chosen %s and typed %s it is one password on every channel", async (_, __, chosen, typed) => {
    expect(chosen).not.toBe(typed);
    const { email, session } = await newcomer(chosen);
    expect(await answers(email, typed)).toEqual(everywhere(200));
    expect(await answers(email, chosen)).toEqual(everywhere(200));

    const change = { current_password: typed, password: `${chosen} 2` };
    expect((await house.send("PUT", "/api/v9/me", { session, json: change })).status).toBe(200);
    expect(await answers(email, `${typed} 2`)).toEqual(everywhere(200));
    expect(await answers(email, typed)).toEqual(everywhere(403));

    const code = await resetCode(house, email);
    expect((await confirmReset(house, code, `${chosen} 3`)).status).toBe(200);
    expect(await answers(email, `${typed} 3`)).toEqual(everywhere(200));

    const closed = await house.send("POST", "/api/me/close_account/track", { basic: [email, `${typed} 3`] });
    expect(closed.status).toBe(200);
  });
});

test.each([
  ["a ligature", "\ufb01ne weather today", "fine weather today"],
  ["full-width letters", "\uff51uiet river at noon", "quiet river at noon"],
  ["a superscript digit", "quiet river\u00b2 at noon", "quiet river2 at noon"],
  ["a long s", "qui\u017ft river at noon", "quist river at noon"],
  ["a soft hyphen", "quiet\u00ad river at noon", "quiet river at noon"],
  ["a zero-width joiner", "quiet\u200d river at noon", "quiet river at noon"],
  ["a dotless i", "qu\u0131et river at noon", "quiet river at noon"],
  ["a Cyrillic letter", "quiet river \u0430t noon", "quiet river at noon"],
  ["a capital letter", "Quiet river at noon", "quiet river at noon"],
  ["a sharp s", "quiet straße at noon", "quiet strasse at noon"],
  ["a variation selector", "quiet \u2764\ufe0f river", "quiet \u2764 river"],
])("A17: %s is not merged with what looks like it", async (_, one, other) => {
  const first = await newcomer(one);
  expect(await answers(first.email, other)).toEqual(everywhere(403));
  expect(await answers(first.email, one)).toEqual(everywhere(200));
  const second = await newcomer(other);
  expect(await answers(second.email, one)).toEqual(everywhere(403));
});

test.each(["\u00a0", "\u2003", "\u3000"])("A17: %j is a space on every channel, both ways", async (space) => {
  const odd = `quiet${space}river at noon`;
  for (const [chosen, typed] of [
    [odd, "quiet river at noon"],
    ["quiet river at noon", odd],
    [odd, odd],
  ] as const) {
    const { email } = await newcomer(chosen);
    expect(await answers(email, typed)).toEqual(everywhere(200));
  }
});

/** RFC 8265 §4.2.2, by another way than the server's. */
const canonical = (text: string): string =>
  nfd(Array.from(text, (character) => (/\p{Zs}/u.test(character) ? " " : character)).join(""));

/** A password and something that comes out of it by what programs do to texts, or by a small change. */
const pairs = fc
  .record({
    chosen: fc.string({ unit: "grapheme", minLength: 4, maxLength: 30 }),
    twist: fc.constantFrom<(text: string) => string>(
      nfc,
      nfd,
      (text) => text.normalize("NFKC"),
      (text) => text.normalize("NFKD"),
      (text) => text.toLowerCase(),
      (text) => text.toUpperCase(),
      (text) => text.trim(),
      (text) => `${text}\u0301`,
      (text) => `${text}\u200b`,
      (text) => text.slice(0, -1).toWellFormed(),
    ),
  })
  .map(({ chosen, twist }) => ({ chosen: `quiet river ${chosen}`, typed: twist(`quiet river ${chosen}`) }))
  .filter(({ chosen }) => chosen.isWellFormed());

test("A17: two texts are one password exactly when they are canonically equal", async () => {
  causesAnyNumber();
  await fc.assert(
    fc.asyncProperty(pairs, async ({ chosen, typed }) => {
      const { email } = await newcomer(chosen);
      // The other form decides here, so that a mistake in the server's would show.
      const status = canonical(chosen) === canonical(typed) ? 200 : 403;
      expect((await signIn(house, email, typed)).status).toBe(status);
    }),
    { numRuns: 60 },
  );
});
