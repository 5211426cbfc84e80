import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { day, minute } from "#kernel/clock.ts";
import {
  behindProxy,
  confirmEmail,
  confirmReset,
  elsewhere,
  lock,
  mailedCode,
  mailedDuring,
  requestChange,
  requestReset,
  resetCode,
  sessionsOf,
  signIn,
  whole,
  undoClose,
} from "../support/attacks.ts";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import { sessionOf, type Client, type Reply } from "../support/http.ts";

let house: TestHouse;
let person: Person;
beforeAll(async () => {
  house = await startHouse({ ...roomy, ...behindProxy });
});
beforeEach(async () => {
  person = await house.person();
});
afterAll(stopHouses);

/** An address that nobody has yet. */
const newAddress = (): string => `moved-${person.email}`;

const changed = "a different river at dawn";
const paths = {
  reset: "/api/me/password_reset/confirm",
  verify: "/api/me/email_verification/confirm",
  change: "/api/me/email_verification/confirm",
  closed: "/api/me/close_account/undo",
} as const;
type Kind = keyof typeof paths;
const kinds: readonly Kind[] = ["reset", "verify", "change", "closed"];

/** Uses a code where codes of this kind are used. */
const use = (kind: Kind, code: string, client: Client = house): Promise<Reply> => {
  if (kind === "reset") return confirmReset(client, code, changed);
  if (kind === "closed") return undoClose(client, code, changed);
  return confirmEmail(client, code);
};

/** What a code that never was gets: every other refused code must get the same. */
const refusal = async (kind: Kind) => whole(await use(kind, "0123456789abcdefghjkmnpqrs"));

const expectRefused = async (kind: Kind, code: string): Promise<void> => {
  const reply = await use(kind, code);
  expect(reply.status).toBe(400);
  expect(reply.cookies).toEqual([]);
  expect(whole(reply)).toEqual(await refusal(kind));
};

const close = (home = house, who = person) =>
  home.send("POST", "/api/me/close_account/track", { basic: [who.email, who.password] });
const change = (json: object) => house.send("PUT", "/api/v9/me", { session: person.session, json });

const codeOf = async (kind: Kind, home = house, who = person): Promise<string> => {
  if (kind === "reset") return resetCode(home, who.email);
  if (kind === "change") {
    expect((await requestChange(home, who, newAddress())).status).toBe(200);
    return mailedCode(home, newAddress(), kind);
  }
  if (kind === "closed") await close(home, who);
  return mailedCode(home, who.email, kind);
};

const lifetimes: readonly (readonly [kind: Kind, lifetime: number])[] = [
  ["reset", 30 * minute],
  ["verify", 3 * day],
  ["change", day],
  ["closed", 14 * day],
];

describe.each(lifetimes)("a code of the kind %s", (kind, lifetime) => {
  test("A25: works once", async () => {
    const code = await codeOf(kind);
    expect((await use(kind, code)).status).toBe(200);
    await expectRefused(kind, code);
    await expectRefused(kind, code.toUpperCase());
  });

  test("A25: works to its last millisecond", async () => {
    const code = await codeOf(kind);
    house.clock.advance(lifetime - 1);
    expect((await use(kind, code)).status).toBe(200);
  });

  test("A25: and not at the next one", async () => {
    const code = await codeOf(kind);
    house.clock.advance(lifetime);
    await expectRefused(kind, code);
  });

  test("A25: stays used, and stays good, over a restart and in another process", async () => {
    const own = await startHouse({ ...roomy, ...behindProxy });
    const code = await codeOf(kind, own, await own.person());
    const again = await own.restart();
    const twin = await again.twin();
    expect((await use(kind, code, twin)).status).toBe(200);
    expect(whole(await use(kind, code, again))).toEqual(
      whole(await use(kind, "0123456789abcdefghjkmnpqrs", again)),
    );
  });

  test("A25: is refused for every other purpose, and is still good for its own", async () => {
    const code = await codeOf(kind);
    for (const other of kinds.filter((one) => paths[one] !== paths[kind])) await expectRefused(other, code);
    expect((await use(kind, code)).status).toBe(200);
  });

  test("A25: does nothing for, or to, anybody else", async () => {
    const other = await house.person();
    const code = await codeOf(kind);
    expect((await use(kind, code)).status).toBe(200);
    expect((await house.send("GET", "/api/v9/me", { session: other.session })).status).toBe(200);
    expect((await signIn(house, other.email, other.password, elsewhere())).status).toBe(200);
    expect((await signIn(house, other.email, changed, elsewhere())).status).toBe(403);
    expect((await use("verify", await mailedCode(house, other.email, "verify"))).status).toBe(200);
  });

  test("A25: is worth nothing when it is guessed in part, cut or padded", async () => {
    const code = await codeOf(kind);
    const last = code.endsWith("0") ? "1" : "0";
    for (const tried of [
      code.slice(0, -1),
      `${code}0`,
      `${code.slice(0, -1)}${last}`,
      `${code.slice(1)}${code[0]}`,
      "%00".repeat(4) + code,
      `${code}%00`,
      "*".repeat(26),
      "%25".repeat(26),
      "_".repeat(26),
      "' or 1=1 --",
      "null",
      "undefined",
      "x".repeat(1000),
    ]) {
      await expectRefused(kind, encodeURI(tried).replaceAll("%25", "%"));
    }
    expect((await use(kind, code)).status).toBe(200);
  });
});

test("A25: a request that came to nothing, over the cap of mails, leaves the last code good", async () => {
  const capped = await startHouse({ ...behindProxy, LATCHKEY_MAILS: "2" });
  await capped.person(person.email);
  await resetCode(capped, person.email);
  const last = await resetCode(capped, person.email);
  const mails = await mailedDuring(capped, async () => {
    capped.clock.advance(1);
    expect((await requestReset(capped, person.email)).status).toBe(200);
  });
  expect(mails).toEqual([]);
  expect((await use("reset", last, capped)).status).toBe(200);
});

describe("a reset code", () => {
  test("A25: ends with a change of the password", async () => {
    const code = await resetCode(house, person.email);
    expect(
      (await change({ current_password: person.password, password: "the owner's new river" })).status,
    ).toBe(200);
    await expectRefused("reset", code);
    expect((await signIn(house, person.email, "the owner's new river", elsewhere())).status).toBe(200);
  });

  test("A25: ends with a change of the address: it lies in a mailbox that is no longer the owner's", async () => {
    const code = await resetCode(house, person.email);
    expect((await change({ current_password: person.password, email: newAddress() })).status).toBe(200);
    await expectRefused("reset", code);
    expect((await signIn(house, newAddress(), person.password, elsewhere())).status).toBe(200);
  });

  test("A25: ends with the account, and does not come back with it", async () => {
    const code = await resetCode(house, person.email);
    await close();
    await expectRefused("reset", code);
    expect((await use("closed", await mailedCode(house, person.email, "closed"))).status).toBe(200);
    await expectRefused("reset", code);
    expect((await signIn(house, person.email, changed, elsewhere())).status).toBe(200);
  });

  test("A25: ends with a lock", async () => {
    const code = await resetCode(house, person.email);
    await lock(house, person.email);
    await expectRefused("reset", code);
    expect(await sessionsOf(house, person.email)).toBe(0);
  });

  test("A25: is not even made for an account that is closed or locked", async () => {
    await lock(house, person.email);
    const other = await house.person();
    await house.send("POST", "/api/me/close_account/track", { basic: [other.email, other.password] });
    const mails = await mailedDuring(house, async () => {
      house.clock.advance(1);
      await requestReset(house, person.email);
      await requestReset(house, other.email);
    });
    expect(mails).toEqual([]);
  });
});

describe("a code for a new address", () => {
  const expectStayed = async (): Promise<void> => {
    const reply = await signIn(house, newAddress(), person.password, elsewhere());
    expect(reply.status).toBe(403);
    expect(await house.inside.accounts.use.findAccount(newAddress())).toBeUndefined();
  };

  test("A25: ends with a newer one, for whatever address", async () => {
    const first = await codeOf("change");
    expect((await requestChange(house, person, `other-${newAddress()}`)).status).toBe(200);
    await expectRefused("change", first);
    await expectStayed();
    expect((await use("change", await mailedCode(house, `other-${newAddress()}`, "change"))).status).toBe(
      200,
    );
  });

  test("A25: ends when it is dropped", async () => {
    const code = await codeOf("change");
    const dropped = await house.send("DELETE", "/api/me/email_change", { session: person.session });
    expect(dropped.status).toBe(200);
    await expectRefused("change", code);
    await expectStayed();
  });

  test("A25: ends with a change of the password: whoever asked may have known the old one", async () => {
    const code = await codeOf("change");
    expect((await change({ current_password: person.password, password: changed })).status).toBe(200);
    await expectRefused("change", code);
    await expectStayed();
  });

  test("A25: ends with a reset", async () => {
    const code = await codeOf("change");
    expect((await use("reset", await resetCode(house, person.email))).status).toBe(200);
    await expectRefused("change", code);
    await expectStayed();
  });

  test("A25: ends with a move to yet another address", async () => {
    const code = await codeOf("change");
    const json = { current_password: person.password, email: `third-${newAddress()}` };
    expect((await change(json)).status).toBe(200);
    await expectRefused("change", code);
    await expectStayed();
  });

  test("A25: ends with the account, and with a lock, and does not come back with it", async () => {
    const code = await codeOf("change");
    await close();
    await expectRefused("change", code);
    expect((await use("closed", await mailedCode(house, person.email, "closed"))).status).toBe(200);
    await expectRefused("change", code);

    const later = await house.send("POST", "/api/me/email_change/request", {
      basic: [person.email, changed],
      json: { email: `later-${newAddress()}`, current_password: changed },
      headers: elsewhere(),
    });
    expect(later.status).toBe(200);
    const pending = await mailedCode(house, `later-${newAddress()}`, "change");
    await lock(house, person.email);
    await expectRefused("change", pending);
    await expectStayed();
  });

  test("A25: ends the codes that lie in the old mailbox when it is used", async () => {
    const verify = await mailedCode(house, person.email, "verify");
    const reset = await resetCode(house, person.email);
    expect((await use("change", await codeOf("change"))).status).toBe(200);
    await expectRefused("verify", verify);
    await expectRefused("reset", reset);
    expect((await signIn(house, newAddress(), person.password, elsewhere())).status).toBe(200);
  });
});

test("A25: the code that verifies an address does not verify the one that took its place", async () => {
  const code = await mailedCode(house, person.email, "verify");
  expect((await change({ current_password: person.password, email: newAddress() })).status).toBe(200);
  await expectRefused("verify", code);
  expect((await use("verify", await mailedCode(house, newAddress(), "verify"))).status).toBe(200);
});

test("A25: a code that verifies an address is worth nothing once the account is closed or locked", async () => {
  const code = await mailedCode(house, person.email, "verify");
  const other = await house.person();
  const otherCode = await mailedCode(house, other.email, "verify");
  await close();
  await lock(house, other.email);
  await expectRefused("verify", code);
  await expectRefused("verify", otherCode);
});

test("A25: the code that undoes a closing does not open what the operator locked", async () => {
  await close();
  const code = await mailedCode(house, person.email, "closed");
  await lock(house, person.email);
  await expectRefused("closed", code);
  expect((await signIn(house, person.email, person.password, elsewhere())).status).toBe(403);
});

test("A25: the code of an earlier closing does not undo a later one", async () => {
  await close();
  const earlier = await mailedCode(house, person.email, "closed");
  expect((await use("closed", earlier)).status).toBe(200);
  house.clock.advance(1);
  await close(house, { ...person, password: changed });
  await expectRefused("closed", earlier);
  expect((await use("closed", await mailedCode(house, person.email, "closed"))).status).toBe(200);
});

test("A25: undoing a closing brings back no session", async () => {
  await close();
  const undone = await use("closed", await mailedCode(house, person.email, "closed"));
  expect([undone.status, undone.cookies]).toEqual([200, []]);
  expect((await house.send("GET", "/api/v9/me", { session: person.session })).status).toBe(403);
});

test("A25: a verification signs nobody in", async () => {
  const verified = await use("verify", await mailedCode(house, person.email, "verify"));
  expect([verified.status, verified.cookies, sessionOf(verified)]).toEqual([200, [], undefined]);
});
