import { afterEach, expect, test } from "vitest";
import {
  audited,
  behindProxy,
  confirmEmail,
  confirmReset,
  elsewhere,
  mailedCode,
  mailedDuring,
  requestChange,
  requestReset,
  resetCode,
  sessionsOf,
  signIn,
  signUp,
  subjects,
  tally,
  times,
  whole,
  undoClose,
} from "../support/attacks.ts";
import { causesAnyNumber } from "../support/caused.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { sessionOf, type Reply } from "../support/http.ts";
import { codeIn } from "../support/mails.ts";

// Each test has houses of its own, and PostgreSQL has not connections enough for all of them at once.
afterEach(stopHouses);

const email = "person@example.com";
const password = "a quiet river at noon";

/** A hundred hashes at once are not what is tested here. */
const settings = { ...roomy, ...behindProxy, LATCHKEY_HASHES: "64" };

const passwordOf = (index: number): string => `the river number ${index}`;

const expectOneWinner = async (house: TestHouse, replies: readonly Reply[]): Promise<void> => {
  expect(tally(replies)).toEqual({ 200: 1, 400: replies.length - 1 });
  const winner = replies.findIndex(({ status }) => status === 200);
  const losers = replies.filter((_, index) => index !== winner);
  expect(new Set(losers.map((reply) => JSON.stringify(whole(reply)))).size).toBe(1);
  expect(losers[0]?.json()).toBe("The code is not valid or has expired. Request a new one.");
  expect(losers.flatMap(({ cookies }) => cookies)).toEqual([]);

  expect(await sessionsOf(house, email)).toBe(1);
  expect(await audited(house, "reset_confirmed", email)).toBe(1);
  const session = replies[winner] && sessionOf(replies[winner]);
  expect((await house.send("GET", "/api/v9/me", { session })).status).toBe(200);
  const entering = await times(replies.length, (index) =>
    signIn(house, email, passwordOf(index), elsewhere()),
  );
  expect(entering.flatMap(({ status }, index) => (status === 200 ? [index] : []))).toEqual([winner]);
  expect((await signIn(house, email, password, elsewhere())).status).toBe(403);
};

test("A24: of 100 parallel confirms with one code exactly one gets through", async () => {
  const house = await startHouse({ ...settings, LATCHKEY_PASSWORD_TRIES: "100" });
  await signUp(house, email, password);
  const code = await resetCode(house, email);
  let replies: readonly Reply[] = [];
  const mails = await mailedDuring(house, async () => {
    replies = await times(100, (index) => confirmReset(house, code, passwordOf(index)));
  });
  expect(mails.map(({ to, subject }) => [to, subject])).toEqual([[email, "Your password was changed"]]);
  await expectOneWinner(house, replies);
});

test("A24: so it is when they come to two processes of one store, in every spelling of the code", async () => {
  const house = await startHouse(settings);
  await signUp(house, email, password);
  const twin = await house.twin();
  const code = await resetCode(house, email);
  const spellings = [code, code.toUpperCase(), `${code.slice(0, 13)}-${code.slice(13)}`];
  let replies: readonly Reply[] = [];
  const mails = await mailedDuring(house, async () => {
    replies = await times(100, (index) =>
      confirmReset(index % 2 === 0 ? house : twin, spellings[index % 3] ?? "", passwordOf(index)),
    );
  });
  expect(mails).toHaveLength(1);
  await expectOneWinner(house, replies);
});

test("A24: a verification and the undoing of a closing happen once too, in two processes", async () => {
  const house = await startHouse(settings);
  await signUp(house, email, password);
  const twin = await house.twin();
  const racing = (use: (client: TestHouse, index: number) => Promise<Reply>) =>
    times(60, (index) => use(index % 2 === 0 ? house : twin, index));

  const verify = await mailedCode(house, email, "verify");
  expect(tally(await racing((client) => confirmEmail(client, verify)))).toEqual({ 200: 1, 400: 59 });
  expect(await audited(house, "email_verified", email)).toBe(1);

  await house.send("POST", "/api/me/close_account/track", { basic: [email, password] });
  const undo = await mailedCode(house, email, "closed");
  expect(tally(await racing((client) => undoClose(client, undo, "a river taken back")))).toEqual({
    200: 1,
    400: 59,
  });
  expect(await audited(house, "close_undone", email)).toBe(1);
  expect((await signIn(house, email, "a river taken back", elsewhere())).status).toBe(200);
});

test("A24: a change of the address happens once, in two processes, and tells the old address once", async () => {
  const house = await startHouse(settings);
  const session = sessionOf(await signUp(house, email, password)) ?? "";
  const twin = await house.twin();
  const moved = "moved@example.com";
  expect((await requestChange(house, { session, password }, moved)).status).toBe(200);
  const code = await mailedCode(house, moved, "change");
  let replies: readonly Reply[] = [];
  const mails = await mailedDuring(house, async () => {
    replies = await times(60, (index) => confirmEmail(index % 2 === 0 ? house : twin, code));
  });
  expect(tally(replies)).toEqual({ 200: 1, 400: 59 });
  expect(mails.map(({ to, subject }) => [to, subject])).toEqual([[email, "Your e-mail address was changed"]]);
  expect(await audited(house, "email_changed", moved)).toBe(1);
  expect((await signIn(house, moved, password, elsewhere())).status).toBe(200);
});

test("A24: of two accounts that confirm one address at once exactly one gets it, and the other's code stays good", async () => {
  causesAnyNumber();
  const house = await startHouse(settings);
  const twin = await house.twin();
  for (let round = 0; round < 5; round += 1) {
    const wanted = `wanted${round}@example.com`;
    const runners = await times(2, async (index) => {
      const address = `runner${round}-${index}@example.com`;
      const session = sessionOf(await signUp(house, address, passwordOf(index), elsewhere())) ?? "";
      return { address, session, password: passwordOf(index) };
    });
    const codes: string[] = [];
    for (const runner of runners) {
      house.clock.advance(1);
      await requestChange(house, runner, wanted);
      codes.push(await mailedCode(house, wanted, "change"));
    }
    const replies = await Promise.all(
      codes.map((code, index) => confirmEmail(index === 0 ? house : twin, code)),
    );
    expect(tally(replies)).toEqual({ 200: 1, 400: 1 });
    const loser = replies.findIndex(({ status }) => status === 400);
    expect(replies[loser]?.json()).toBe("user with this email already exists");
    const entering = await times(2, (index) => signIn(house, wanted, passwordOf(index), elsewhere()));
    expect(entering.map(({ status }) => status)).toEqual(loser === 0 ? [403, 200] : [200, 403]);
    const left = runners[loser];
    expect((await signIn(house, left?.address ?? "", left?.password ?? "", elsewhere())).status).toBe(200);

    // The winner goes on to another address, and the one that is free again is the other's.
    const winner = runners[1 - loser];
    const json = { current_password: winner?.password, email: `on${round}@example.com` };
    expect((await house.send("PUT", "/api/v9/me", { session: winner?.session, json })).status).toBe(200);
    expect((await confirmEmail(house, codes[loser] ?? "")).json()).toMatchObject({
      success: true,
      email: wanted,
    });
  }
});

test("A24: a confirm that races with what drops the change leaves no account at an address that was given up", async () => {
  causesAnyNumber();
  const house = await startHouse(settings);
  const twin = await house.twin();
  for (let round = 0; round < 6; round += 1) {
    const address = `dropping${round}@example.com`;
    const moved = `dropped${round}@example.com`;
    const session = sessionOf(await signUp(house, address, password, elsewhere())) ?? "";
    await requestChange(house, { session, password }, moved);
    const code = await mailedCode(house, moved, "change");
    const [confirmed, dropped] = await Promise.all([
      confirmEmail(twin, code),
      round % 2 === 0
        ? house.send("DELETE", "/api/me/email_change", { session })
        : house.send("POST", "/api/me/close_account/track", { session }),
    ]);
    expect(dropped.status).toBe(200);
    const moves = await house.inside.accounts.use.findAccount(moved);
    expect(moves === undefined).toBe(confirmed.status === 400);
    expect((await confirmEmail(house, code)).status).toBe(400);
  }
});

test("A24: no change of the address is asked for by a password that was changed a moment ago on another node", async () => {
  causesAnyNumber();
  const house = await startHouse(settings);
  const twin = await house.twin();
  for (let round = 0; round < 5; round += 1) {
    const session = sessionOf(await signUp(house, `asking${round}@example.com`, password, elsewhere())) ?? "";
    // The other node has seen the session, with the password that it goes by.
    expect((await twin.send("GET", "/api/me", { session })).status).toBe(200);
    const json = { current_password: password, password: passwordOf(round) };
    expect((await house.send("PUT", "/api/v9/me", { session, json })).status).toBe(200);

    const asked = await requestChange(twin, { session, password }, `asked${round}@example.com`);

    expect([400, 403]).toContain(asked.status);
    expect((await house.send("GET", "/api/me", { session })).json()).toMatchObject({ pending_email: null });
  }
});

test("A24: requests that race mail one code, which works once", async () => {
  const house = await startHouse(settings);
  await signUp(house, email, password);
  const twin = await house.twin();
  const mails = await mailedDuring(house, () =>
    times(12, (index) => requestReset(index % 2 === 0 ? house : twin, email)),
  );
  const codes = mails.map(codeIn);
  expect([codes.length, new Set(codes).size]).toEqual([12, 1]);
  const replies = [];
  for (const [index, code] of codes.entries())
    replies.push(await confirmReset(house, code, passwordOf(index)));
  expect(tally(replies)).toEqual({ 200: 1, 400: 11 });
});

test("A24: a confirm that races with a closing leaves a closed account and no way in", async () => {
  causesAnyNumber();
  const house = await startHouse(settings);
  const twin = await house.twin();
  for (let round = 0; round < 5; round += 1) {
    const address = `closing${round}@example.com`;
    const session = sessionOf(await signUp(house, address, password, elsewhere()));
    const code = await resetCode(house, address);
    const [confirmed, closed] = await Promise.all([
      confirmReset(twin, code, passwordOf(round)),
      house.send("POST", "/api/me/close_account/track", { session }),
    ]);
    expect([200, 400]).toContain(confirmed.status);
    // The session may have been ended by the reset before the closing came to it.
    expect([200, 403]).toContain(closed.status);
    const fresh = sessionOf(confirmed);
    if (closed.status === 200) {
      expect(await sessionsOf(house, address)).toBe(0);
      expect((await signIn(house, address, passwordOf(round), elsewhere())).status).toBe(403);
      if (fresh) expect((await house.send("GET", "/api/v9/me", { session: fresh })).status).toBe(403);
    } else {
      expect(confirmed.status).toBe(200);
      expect((await house.send("GET", "/api/v9/me", { session: fresh })).status).toBe(200);
    }
  }
});

test("A24: of a confirm and changes of the password that race exactly one gets through", async () => {
  causesAnyNumber();
  const house = await startHouse({ ...settings, LATCHKEY_HASHES: "2" });
  const twin = await house.twin();
  for (let round = 0; round < 5; round += 1) {
    const address = `changing${round}@example.com`;
    const session = sessionOf(await signUp(house, address, password, elsewhere()));
    const code = await resetCode(house, address);
    const changing = times(8, (index) =>
      (index % 2 === 0 ? house : twin).send("PUT", "/api/v9/me", {
        session,
        json: { current_password: password, password: passwordOf(index) },
      }),
    );
    const confirmed = await confirmReset(twin, code, "what the reset chose");
    const replies = [...(await changing), confirmed];
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(replies.every(({ status }) => [200, 400, 403].includes(status))).toBe(true);

    const chosen = [...replies.keys()].map((index) =>
      replies[index] === confirmed ? "what the reset chose" : passwordOf(index),
    );
    const entering = await times(chosen.length, (index) =>
      signIn(house, address, chosen[index] ?? "", elsewhere()),
    );
    expect(entering.map(({ status }) => status === 200)).toEqual(replies.map(({ status }) => status === 200));
    expect((await signIn(house, address, password, elsewhere())).status).toBe(403);
  }
});

test("A24: requests that race with a move of the address leave no code that works in the old mailbox", async () => {
  causesAnyNumber();
  const house = await startHouse(settings);
  const twin = await house.twin();
  for (let round = 0; round < 5; round += 1) {
    const old = `old${round}@example.com`;
    const moved = `new${round}@example.com`;
    const session = sessionOf(await signUp(house, old, password, elsewhere()));
    const mails = await mailedDuring(house, async () => {
      const asking = times(24, (index) => requestReset(index % 2 === 0 ? house : twin, old));
      const json = { current_password: password, email: moved };
      const reply = await house.send("PUT", "/api/v9/me", { session, json, headers: elsewhere() });
      expect(reply.status).toBe(200);
      await asking;
    });
    for (const mail of mails.filter(({ to, subject }) => to === old && subject === subjects.reset)) {
      expect((await confirmReset(house, codeIn(mail), "the attacker's own")).status).toBe(400);
    }
    expect((await signIn(house, moved, password, elsewhere())).status).toBe(200);
  }
});

test("A24: no sign-in with the old password that raced with the confirm outlives it", async () => {
  causesAnyNumber();
  // One hash at a time, so that they stand in line around the confirm's own.
  const house = await startHouse({ ...settings, LATCHKEY_HASHES: "1", LATCHKEY_PASSWORD_TRIES: "100" });
  const twin = await house.twin();
  for (let round = 0; round < 5; round += 1) {
    const address = `entering${round}@example.com`;
    await signUp(house, address, password, elsewhere());
    const code = await resetCode(house, address);
    const entering = times(24, (index) =>
      (index % 2 === 0 ? house : twin).send("POST", "/api/sessions", {
        basic: [address, password],
        headers: elsewhere(),
      }),
    );
    const confirmed = await confirmReset(round % 2 === 0 ? house : twin, code, passwordOf(round));
    expect(confirmed.status).toBe(200);
    const sessions = (await entering).flatMap((reply) => sessionOf(reply) ?? []);
    const statuses = await Promise.all(
      sessions.map(async (session) => (await house.send("GET", "/api/v9/me", { session })).status),
    );
    expect(statuses.filter((status) => status === 200)).toEqual([]);
    expect(await sessionsOf(house, address)).toBe(1);
    expect((await house.send("GET", "/api/v9/me", { session: sessionOf(confirmed) })).status).toBe(200);
  }
});
