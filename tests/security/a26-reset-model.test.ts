import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { minute } from "#kernel/clock.ts";
import {
  behindProxy,
  confirmReset,
  elsewhere,
  mailedCode,
  requestReset,
  resetCode,
  sessionsOf,
  signIn,
  signUp,
  undoClose,
} from "../support/attacks.ts";
import { causesAnyNumber } from "../support/caused.ts";
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
  /** When, in minutes, the last code was made. */
  madeAt: number;
  undoCode: string;
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

const request = async (model: Model): Promise<void> => {
  if (!model.closed) {
    const code = await resetCode(house, model.email);
    // The same one, while it is good and was made less than its lifetime ago.
    const repeated = model.now < model.goodUntil && model.now < model.madeAt + 30;
    expect(code === model.codes.at(-1)).toBe(repeated);
    if (!repeated) {
      model.codes.push(code);
      model.madeAt = model.now;
    }
    model.goodUntil = model.now + 30;
    return;
  }
  expect((await requestReset(house, model.email)).status).toBe(200);
};

type Pick = (codes: readonly string[]) => string | undefined;

const confirm = async (pick: Pick, model: Model, real: Real): Promise<void> => {
  const code = pick(model.codes) ?? "";
  const chosen = newPassword(real);
  const works = !model.closed && code === model.codes.at(-1) && model.now < model.goodUntil;
  const reply = await confirmReset(house, code, chosen);
  expect([reply.status, reply.cookies.length]).toEqual(works ? [200, 1] : [400, 0]);
  if (!works) return;
  Object.assign(model, { password: chosen, goodUntil: 0, sessions: 1, session: sessionOf(reply) });
};

const confirmWeakly = async (model: Model): Promise<void> => {
  expect((await confirmReset(house, model.codes.at(-1) ?? "", "password123")).status).toBe(400);
};

const change = async (model: Model, real: Real): Promise<void> => {
  const json = { current_password: model.password, password: newPassword(real) };
  expect((await house.send("PUT", "/api/v9/me", { session: model.session, json })).status).toBe(200);
  Object.assign(model, { password: json.password, goodUntil: 0, sessions: 1 });
};

const enter = async (model: Model): Promise<void> => {
  const reply = await signIn(house, model.email, model.password, elsewhere());
  expect(reply.status).toBe(model.closed ? 403 : 200);
  if (reply.status !== 200) return;
  model.session = sessionOf(reply);
  model.sessions += 1;
};

const close = async (model: Model): Promise<void> => {
  house.clock.advance(1);
  const basic = [model.email, model.password] as const;
  expect((await house.send("POST", "/api/me/close_account/track", { basic })).status).toBe(200);
  const undoCode = await mailedCode(house, model.email, "closed");
  Object.assign(model, { closed: true, undoCode, goodUntil: 0, sessions: 0, session: undefined });
};

const undo = async (model: Model, real: Real): Promise<void> => {
  const chosen = newPassword(real);
  const reply = await undoClose(house, model.undoCode, chosen);
  expect(reply.status).toBe(model.closed ? 200 : 400);
  if (model.closed) Object.assign(model, { closed: false, password: chosen });
};

/** What holds at any time. */
const look = async (model: Model): Promise<void> => {
  if (!model.closed) expect(await sessionsOf(house, model.email)).toBe(model.sessions);
  if (model.session === undefined) return;
  expect((await house.send("GET", "/api/v9/me", { session: model.session })).status).toBe(200);
};

const confirmWith = (name: string, pick: Pick): Step =>
  step(
    `confirm with the ${name} code`,
    ({ codes }) => pick(codes) !== undefined,
    (model, real) => confirm(pick, model, real),
  );

const wait = (minutes: number): Step =>
  step(`wait ${minutes} minutes`, always, (model) => {
    model.now += minutes;
    house.clock.advance(minutes * minute);
    return Promise.resolve();
  });

const asked = ({ codes }: Readonly<Model>): boolean => codes.length > 0;
const isOpen = ({ closed }: Readonly<Model>): boolean => !closed;
const isIn = (model: Readonly<Model>): boolean => isOpen(model) && model.session !== undefined;
const wasClosed = ({ undoCode }: Readonly<Model>): boolean => undoCode !== "";

const steps = fc.commands(
  [
    fc.constant(step("request", always, request)),
    fc.constant(confirmWith("last", (codes) => codes.at(-1))),
    fc.constant(confirmWith("last but one", (codes) => codes.at(-2))),
    fc.constant(confirmWith("first", (codes) => codes[0])),
    fc.constant(step("confirm with a weak password", asked, confirmWeakly)),
    fc.constant(step("change the password", isIn, change)),
    fc.constant(step("sign in", always, enter)),
    fc.constant(step("close", isOpen, close)),
    fc.constant(step("undo", wasClosed, undo)),
    fc.constantFrom(1, 12, 29, 30).map(wait),
    fc.constant(step("look", always, look)),
  ],
  { size: "+1" },
);

let people = 0;
const begin = async (): Promise<Model> => {
  people += 1;
  const email = `model${people}@example.com`;
  const password = "a quiet river at noon";
  const session = sessionOf(await signUp(house, email, password, elsewhere()));
  return {
    email,
    password,
    now: 0,
    closed: false,
    codes: [],
    goodUntil: 0,
    madeAt: 0,
    undoCode: "",
    sessions: 1,
    session,
  };
};

test("A26: whatever is done in whatever order, only the newest code sets a password, once, in its thirty minutes", async () => {
  causesAnyNumber();
  await fc.assert(
    fc.asyncProperty(steps, async (commands) => {
      const model = await begin();
      await fc.asyncModelRun(() => ({ model, real: { chosen: 0 } }), commands);
      const reply = await signIn(house, model.email, model.password, elsewhere());
      expect(reply.status).toBe(model.closed ? 403 : 200);
    }),
    { numRuns: 20 },
  );
}, 120_000);
