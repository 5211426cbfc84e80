import { afterAll, expect, test } from "vitest";
import {
  behindProxy,
  confirmReset,
  from,
  mailedCode,
  mailedDuring,
  resetCode,
  series,
  signUp,
  tally,
  times,
  undoClose,
} from "../support/attacks.ts";
import { hashCount, holdingHashes } from "../support/hash-count.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import type { Reply } from "../support/http.ts";

afterAll(stopHouses);

const network = from("203.0.113.7");
const password = "a quiet river at noon";

/** What comes while somebody's hash takes the only place there is, and waits in vain. */
const whileBusy = async (house: TestHouse, work: () => Promise<readonly Reply[]>) => {
  let first: Promise<Reply> | undefined;
  const replies = await holdingHashes(async () => {
    const before = hashCount();
    first = signUp(house, "first@example.com", password, from("198.51.100.1"));
    await expect.poll(hashCount).toBe(before + 1);
    return work();
  });
  expect((await first)?.status).toBe(200);
  return replies;
};

test("sign-ups that the server was too busy for are not held against a network", async () => {
  const house = await startHouse({ ...behindProxy, LATCHKEY_HASHES: "1", LATCHKEY_SIGN_UPS: "3" });
  const up = (index: number) => signUp(house, `new${index}@example.com`, password, network);

  const refused = await whileBusy(house, () => times(3, up));

  expect(tally(refused)).toEqual({ 503: 3 });
  expect(tally(await series(4, up))).toEqual({ 200: 3, 429: 1 });
});

test("nor, where accounts are hidden, against the mails of an address", async () => {
  const house = await startHouse({
    ...roomy,
    ...behindProxy,
    LATCHKEY_HASHES: "1",
    LATCHKEY_HIDE_ACCOUNTS: "strict",
    LATCHKEY_MAILS: "1",
  });
  const up = () => signUp(house, "taken@example.com", password, network);
  await whileBusy(house, () => times(3, up));

  // The first mail is about the account that was made, which one may ask for a code again.
  const mails = await mailedDuring(house, up);
  expect(mails.map(({ to }) => to)).toEqual(["taken@example.com"]);
});

test("nor are resets and the taking back of accounts, which leave their codes as they were", async () => {
  const house = await startHouse({ ...roomy, ...behindProxy, LATCHKEY_HASHES: "1" });
  await signUp(house, "lost@example.com", password, network);
  await signUp(house, "closed@example.com", password, network);
  await house.send("POST", "/api/me/close_account/track", { basic: ["closed@example.com", password] });
  const undo = await mailedCode(house, "closed@example.com", "closed");
  const reset = await resetCode(house, "lost@example.com");

  const refused = await whileBusy(house, async () => [
    ...(await times(50, () => confirmReset(house, reset, "a river by reset", network))),
    ...(await times(50, () => undoClose(house, undo, "a river taken back", network))),
  ]);

  expect(tally(refused)).toEqual({ 503: 100 });
  const done = [
    await confirmReset(house, reset, "a river by reset", network),
    await undoClose(house, undo, "a river taken back", network),
  ];
  expect(tally(done)).toEqual({ 200: 2 });
});
