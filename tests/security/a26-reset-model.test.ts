import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { minute } from "#kernel/clock.ts";
import {
  behindProxy,
  confirmReset,
  elsewhere,
  mailedCode,
  resetCode,
  sessionsOf,
  signIn,
  signUp,
} from "../support/attacks.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { sessionOf } from "../support/http.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse({ ...roomy, ...behindProxy });
});
afterAll(stopHouses);

/** What a person can expect of the flow, told without looking at how it is made. */
type Model = {
  readonly email: string;
  password: string;
  /** Minutes since the beginning; the milliseconds that keep mails in order are too few to count. */
  now: number;
  closed: boolean;
  /** Every reset code so far; at most the last one may work. */
  readonly codes: string[];
  /** Until when, in minutes, the last code works; 0 when it was used or ended. */
  goodUntil: number;
  undo: string;
  sessions: number;
  session: string | undefined;
};
type Real = { chosen: number };
type Step = fc.AsyncCommand<Model, Real>;

const step = (
  name: string,
  may: (model: Readonly<Model>) => boolean,
  run: (model: Model, real: Real) => Promise<void>,
): Step => ({ check: may, run, toString: () => name });

const always = (): boolean => true;
const newPassword = (real: Real): string => `the river number ${++real.chosen}`;

const request = step("request", always, async (model) => {
  if (model.closed) {
    expect(
      (
        await house.send("POST", "/api/me/password_reset/request", {
          json: { email: model.email },
          headers: elsewhere(),
        })
      ).status,
    ).toBe(200);
    return;
  }
  model.codes.push(await resetCode(house, model.email));
  model.goodUntil = model.now + 10;
});

const confirmWith = (name: string, pick: (codes: readonly string[]) => string | undefined): Step =>
  step(
    name,
    (model) => pick(model.codes) !== undefined,
    async (model, real) => {
      const code = pick(model.codes) ?? "";
      const chosen = newPassword(real);
      const works = !model.closed && code === model.codes.at(-1) && model.now < model.goodUntil;
      const reply = await confirmReset(house, code, chosen);
      expect([reply.status, reply.cookies.length]).toEqual(works ? [200, 1] : [400, 0]);
      if (!works) return;
      Object.assign(model, { password: chosen, goodUntil: 0, sessions: 1, session: sessionOf(reply) });
    },
  );

const weakConfirm = step(
  "confirm with a weak password",
  (model) => model.codes.length > 0,
  async (model) => {
    expect((await confirmReset(house, model.codes.at(-1) ?? "", "password123")).status).toBe(400);
  },
);

const change = step(
  "change the password",
  (model) => !model.closed && model.session !== undefined,
  async (model, real) => {
    const json = { current_password: model.password, password: newPassword(real) };
    expect((await house.send("PUT", "/api/v9/me", { session: model.session, json })).status).toBe(200);
    Object.assign(model, { password: json.password, goodUntil: 0, sessions: 1 });
  },
);

const enter = step("sign in", always, async (model) => {
  const reply = await signIn(house, model.email, model.password, elsewhere());
  expect(reply.status).toBe(model.closed ? 403 : 200);
  if (reply.status !== 200) return;
  model.session = sessionOf(reply);
  model.sessions += 1;
});

const close = step(
  "close",
  (model) => !model.closed,
  async (model) => {
    house.clock.advance(1);
    const basic = [model.email, model.password] as const;
    expect((await house.send("POST", "/api/me/close_account/track", { basic })).status).toBe(200);
    const undo = await mailedCode(house, model.email, "closed");
    Object.assign(model, { closed: true, undo, goodUntil: 0, sessions: 0, session: undefined });
  },
);

const undo = step(
  "undo",
  (model) => model.undo !== "",
  async (model) => {
    const path = `/api/me/close_account/undo/${model.undo}`;
    expect((await house.send("POST", path, { headers: elsewhere() })).status).toBe(model.closed ? 200 : 400);
    model.closed = false;
  },
);

const wait = (minutes: number): Step =>
  step(`wait ${minutes} minutes`, always, async (model) => {
    model.now += minutes;
    house.clock.advance(minutes * minute);
  });

/** What holds after every step. */
const look = step("look", always, async (model) => {
  if (!model.closed) expect(await sessionsOf(house, model.email)).toBe(model.sessions);
  if (model.session === undefined) return;
  expect((await house.send("GET", "/api/v9/me", { session: model.session })).status).toBe(200);
});

let people = 0;

test("A26: whatever is done in whatever order, only the newest code sets a password, once, in its ten minutes", async () => {
  const steps = fc.commands(
    [
      fc.constant(request),
      fc.constant(confirmWith("confirm with the last code", (codes) => codes.at(-1))),
      fc.constant(confirmWith("confirm with the code before", (codes) => codes.at(-2))),
      fc.constant(confirmWith("confirm with the first code", (codes) => codes[0])),
      fc.constant(weakConfirm),
      fc.constant(change),
      fc.constant(enter),
      fc.constant(close),
      fc.constant(undo),
      fc.constantFrom(1, 4, 9, 10).map(wait),
      fc.constant(look),
    ],
    { size: "+1" },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (commands) => {
      people += 1;
      const email = `model${people}@example.com`;
      const password = "a quiet river at noon";
      const session = sessionOf(await signUp(house, email, password, elsewhere()));
      const model: Model = {
        email,
        password,
        now: 0,
        closed: false,
        codes: [],
        goodUntil: 0,
        undo: "",
        sessions: 1,
        session,
      };
      await fc.asyncModelRun(() => ({ model, real: { chosen: 0 } }), commands);
      house.clock.advance(1 * minute);
      if (!model.closed) expect((await signIn(house, email, model.password, elsewhere())).status).toBe(200);
    }),
    { numRuns: 20 },
  );
}, 120_000);
