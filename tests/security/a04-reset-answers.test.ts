import { afterAll, beforeAll, expect, test } from "vitest";
import { hour } from "#kernel/clock.ts";
import {
  audited,
  behindProxy,
  from,
  lock,
  requestReset,
  series,
  signUp,
  subjects,
  verifiedPerson,
  whole,
} from "../support/attacks.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";

const password = "a quiet river at noon";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse({ ...behindProxy, LATCHKEY_HIDE_ACCOUNTS: "strict" });
});
afterAll(stopHouses);

const resetMails = async (email: string): Promise<number> =>
  (await house.mails()).filter((mail) => mail.to === email && mail.subject === subjects.reset).length;

test("A04: tells nothing at the 1st, 2nd and 20th request, and the 101st, whoever has the address", async () => {
  await verifiedPerson(house, "open@example.com", password);
  await verifiedPerson(house, "closed@example.com", password);
  await house.send("POST", "/api/me/close_account/track", { basic: ["closed@example.com", password] });
  await verifiedPerson(house, "locked@example.com", password);
  await lock(house, "locked@example.com");
  await signUp(house, "unverified@example.com", password);
  // The mails of the sign-ups count to their addresses too.
  house.clock.advance(hour);

  const answersOf = async (email: string, network: string, count: number) =>
    (await series(count, () => requestReset(house, email, from(network)))).map(whole);
  const unknown = await answersOf("nobody@example.com", "203.0.113.1", 101);
  expect(unknown.slice(0, 100).map(({ status, text }) => [status, text])).toEqual(
    Array.from({ length: 100 }, () => [200, '{"success":true}']),
  );
  // The network is what is told to wait, and nobody's address.
  expect(unknown[100]).toMatchObject({ status: 429, headers: { "retry-after": "600" } });
  expect(unknown.every(({ cookies }) => cookies.length === 0)).toBe(true);

  expect(await answersOf("open@example.com", "203.0.113.2", 101)).toEqual(unknown);
  for (const [index, who] of ["closed", "locked", "unverified"].entries()) {
    const answers = await answersOf(`${who}@example.com`, `203.0.113.${index + 3}`, 20);
    expect(answers, who).toEqual(unknown.slice(0, 20));
  }

  // What was told the same was not done the same: mail goes to those only who can use it, twice an hour for one network.
  const mailed = await Promise.all(
    ["open", "closed", "locked", "unverified", "nobody"].map(async (who) => [
      who,
      await resetMails(`${who}@example.com`),
    ]),
  );
  expect(mailed).toEqual([
    ["open", 2],
    ["closed", 0],
    ["locked", 0],
    ["unverified", 2],
    ["nobody", 0],
  ]);
});

test("A04: writes the same things down for an address that nobody has", async () => {
  const open = await startHouse(behindProxy);
  const { store } = open.inside;
  await verifiedPerson(open, "written@example.com", password);
  const rows = async () => {
    const counters = await store.query.selectFrom("tries").select("count").execute();
    return {
      asked: await audited(open, "reset_requested"),
      counted: counters.reduce((sum, { count }) => sum + count, 0),
    };
  };
  const asking = async (email: string, network: string) => {
    const before = await rows();
    await requestReset(open, email, from(network));
    const after = await rows();
    return { asked: after.asked - before.asked, counted: after.counted - before.counted };
  };
  const known = await asking("written@example.com", "203.0.113.101");
  expect(known).toEqual({ asked: 1, counted: 3 });
  expect(await asking("unwritten@example.com", "203.0.113.102")).toEqual(known);
});

test("A04: queues a mail for nobody too, so that the work is the same, and never sends it", async () => {
  const quiet = await startHouse(behindProxy);
  const queued = async () =>
    (await quiet.inside.store.query.selectFrom("mail_queue").select("id").execute()).length;
  // Nobody empties the queue while it is looked at.
  await quiet.inside.courier.stop();
  expect((await requestReset(quiet, "nobody@example.com")).status).toBe(200);
  expect(await queued()).toBe(1);

  const twin = await quiet.twin();
  expect(await twin.mails()).toEqual([]);
  expect(await queued()).toBe(0);
});

test("A04: refuses what is no address the same way, whether the rest of it is known or not", async () => {
  await verifiedPerson(house, "known@example.com", password);
  const known = await requestReset(house, "known@example.com.", from("203.0.113.121"));
  const unknown = await requestReset(house, "unknown@example.com.", from("203.0.113.122"));
  expect(known.status).toBe(400);
  expect(whole(known)).toEqual(whole(unknown));
  expect(await resetMails("known@example.com")).toBe(0);
});
