import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { second } from "#kernel/clock.ts";
import { sha256Hex } from "#kernel/crypto/digest.ts";
import { codeOf, refusalOf } from "../support/connect.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import {
  byPassword,
  byToken,
  identityOf,
  newHolder,
  openLinkScene,
  shownAccount,
  toggl,
  type LinkScene,
} from "../support/link-scene.ts";
import { startUpstream, type Script, type Upstream } from "../support/upstream.ts";

/** What the provider answers, and what the person at the form is told. */

let provider: Upstream;
/** On this machine, and not listed. */
let hidden: Upstream;
let house: TestHouse;
beforeAll(async () => {
  [provider, hidden] = await Promise.all([startUpstream(), startUpstream()]);
  house = await startHouse({ ...roomy, LATCHKEY_OUTBOUND_ALLOW: provider.origin });
});
afterAll(async () => {
  await stopHouses();
  await Promise.all([provider.stop(), hidden.stop()]);
});

let scene: LinkScene;
beforeEach(async () => {
  scene = await openLinkScene(house, provider);
});

const holder = newHolder();

const triesOf = async (session: string): Promise<number> => {
  const { rows } = await sql<{ tries: number }>`
    select tries from connect_sessions where digest = ${sha256Hex(session)}`.execute(
    house.inside.store.query,
  );
  return Number(rows[0]?.tries);
};

const html = { "content-type": "text/html; charset=utf-8" };
const asJson = { "content-type": "application/json" };

const wrong =
  "Check that the token or the password is complete. If you sign in with Google, Apple or your company's account, you have no Toggl password: use the API token.";
const refusedAnyway = "The provider refused these credentials. Check them and try again.";
const quota =
  "Toggl counts these checks, and the hour's allowance of this account is used up. Your details may well be right: try again later.";
const tooFast =
  "The provider takes no more calls at the moment, so the credentials could not be checked yet.";
const down = "The provider does not answer, so the credentials could not be checked. Try again later.";
const strange = "The provider answered something that does not tell whose account it is.";

type Row = {
  readonly name: string;
  readonly script: Script;
  readonly told: readonly [status: number, code: string, sentence: string];
  readonly retryAfter: string | undefined;
};

const row = (name: string, script: Script, told: Row["told"], retryAfter?: string): Row => ({
  name,
  script,
  told,
  retryAfter,
});

const { id: _id, ...nobody } = identityOf(holder);

const rows: readonly Row[] = [
  row("403", { status: 403 }, [400, "connection_test_failed", wrong]),
  row("401", { status: 401, body: "nope" }, [400, "connection_test_failed", refusedAnyway]),
  row(
    "402, with the seconds until the hour is over",
    { status: 402, headers: { "x-toggl-quota-remaining": "0", "x-toggl-quota-resets-in": "1234" } },
    [402, "provider_quota", quota],
    "1234",
  ),
  row("402 alone", { status: 402 }, [402, "provider_quota", quota]),
  row("429", { status: 429, headers: { "retry-after": "7" } }, [429, "provider_rate_limited", tooFast], "7"),
  row("429 alone", { status: 429 }, [429, "provider_rate_limited", tooFast]),
  row("429 with a wait that nobody can read", { status: 429, headers: { "retry-after": "soon; -1" } }, [
    429,
    "provider_rate_limited",
    tooFast,
  ]),
  row("500", { status: 500, body: JSON.stringify({ id: 1 }) }, [502, "provider_unavailable", down]),
  row("503", { status: 503 }, [502, "provider_unavailable", down]),
  row("a reset", { instead: "reset" }, [502, "provider_unavailable", down]),
  row("a connection that is closed", { instead: "close" }, [502, "provider_unavailable", down]),
  row("what is not HTTP", { instead: { bytes: "220 mail ready\r\n" } }, [502, "provider_unavailable", down]),
  row(
    "less than it promised",
    { headers: asJson, body: JSON.stringify(identityOf(holder)), claims: 5000, then: "close" },
    [502, "provider_unavailable", down],
  ),
  row(
    "half of it, and a reset",
    { headers: asJson, body: '{"id":1,"api_token":', claims: 5000, then: "reset" },
    [502, "provider_unavailable", down],
  ),
  row("a page", { headers: html, body: "<h1>Sign in</h1>" }, [502, "unexpected_answer", strange]),
  row("a page of a proxy in between", { status: 404, headers: html }, [502, "unexpected_answer", strange]),
  row("nothing", {}, [502, "unexpected_answer", strange]),
  row("204", { status: 204 }, [502, "unexpected_answer", strange]),
  row("a list", { headers: asJson, body: "[]" }, [502, "unexpected_answer", strange]),
  row("half of a JSON", { headers: asJson, body: '{"id":' }, [502, "unexpected_answer", strange]),
  row("somebody without an id", { headers: asJson, body: JSON.stringify(nobody) }, [
    502,
    "unexpected_answer",
    strange,
  ]),
  row("an id that is nothing", { headers: asJson, body: '{"id":null}' }, [502, "unexpected_answer", strange]),
  row("an id that is no number any more", { headers: asJson, body: '{"id":90071992547409931}' }, [
    502,
    "unexpected_answer",
    strange,
  ]),
  row("more than anybody's identity", { headers: asJson, bytes: 3_000_000 }, [
    502,
    "unexpected_answer",
    strange,
  ]),
  row("300", { status: 300 }, [502, "unexpected_answer", strange]),
  row("400", { status: 400 }, [502, "unexpected_answer", strange]),
  row("418", { status: 418 }, [502, "unexpected_answer", strange]),
];

describe("an answer of the provider:", () => {
  test.each(rows)("$name", async ({ script, told, retryAfter }) => {
    scene.answers(script);
    const session = await scene.session({ end_user: { id: "user-1" } });
    const reply = await scene.submit(session, byToken(holder));

    expect(refusalOf(reply)).toEqual(told);
    expect(reply.headers["retry-after"]).toBe(retryAfter);
    expect(reply.headers["access-control-allow-origin"]).toBe("*");
    expect(scene.asked()).toHaveLength(1);
    expect(await scene.connections()).toEqual([]);
    const [, code, description] = told;
    expect(await scene.told()).toMatchObject([
      {
        event: "connection.attempt_failed",
        operation: "creation",
        success: false,
        error: { type: code, description },
        account: null,
        state: null,
        endUser: { endUserId: "user-1" },
      },
    ]);
    expect(await scene.audit()).toEqual([["link_refused", { code }]]);
    expect(reply.text).not.toContain(holder.token);

    // Only a wrong guess counts, and none of them ends the session.
    expect(await triesOf(session)).toBe(code === "connection_test_failed" ? 1 : 0);
    scene.answers(toggl(holder));
    if (code === "provider_rate_limited") house.clock.advance(Number(retryAfter ?? 0) * second);
    expect((await scene.submit(session, byToken(holder))).status).toBe(200);
  });

  test("who drips, and who never answers, is given up when the time for it is over", async () => {
    const allowed = { ...roomy, LATCHKEY_OUTBOUND_ALLOW: provider.origin };
    const hasty = await startHouse(allowed, { longestCallMs: 500 });
    const silent = await openLinkScene(hasty, provider);
    const slow = await openLinkScene(hasty, provider);
    silent.answers({ instead: "hang" });
    slow.answers({
      headers: asJson,
      body: JSON.stringify(identityOf(holder)),
      drip: { bytes: 1, everyMs: 400 },
    });
    const replies = await Promise.all(
      [silent, slow].map(async (one) => one.submit(await one.session(), byToken(holder))),
    );

    for (const reply of replies) expect(refusalOf(reply)).toEqual([502, "provider_unavailable", down]);
    for (const one of [silent, slow]) {
      expect(await one.connections()).toEqual([]);
      expect(await one.audit()).toEqual([["link_refused", { code: "provider_unavailable" }]]);
      await expect.poll(() => one.asked()[0]?.ended, { timeout: 5000 }).toBe("cut");
    }
  });

  test("slow, in pieces, with more than anybody asked for: it is linked all the same", async () => {
    const body = JSON.stringify({ ...identityOf(holder), padding: "x".repeat(2000) });
    scene.answers({ status: 201, headers: asJson, body, drip: { bytes: 300, everyMs: 5 } });
    const reply = await scene.submit(await scene.session(), byToken(holder));

    expect(reply.json()).toMatchObject({ account: shownAccount(holder) });
  });
});

describe("a provider that sends on", () => {
  const to = (location: string, status = 302): Script => ({ status, headers: { location } });

  test("in a loop is not followed for ever", async () => {
    scene.answers((asked) => to(asked.path));
    expect(refusalOf(await scene.submit(await scene.session(), byToken(holder)))).toEqual([
      502,
      "unexpected_answer",
      strange,
    ]);
    expect(scene.asked()).toHaveLength(1);
  });

  test("to another address of its own is followed, with the credentials", async () => {
    provider.answers(`/moved-${scene.environment}`, toggl(holder));
    scene.answers(to(`/moved-${scene.environment}`, 307));

    expect((await scene.submit(await scene.session(), byToken(holder))).status).toBe(200);
  });

  test.each([
    ["this machine", () => `${hidden.origin}/api/v9/me`],
    ["the addresses of a cloud", () => "http://169.254.169.254/latest/meta-data/"],
    ["this server", () => `${house.config.origin.origin}/api/v9/me`],
    ["another scheme", () => "file:///etc/passwd"],
  ])("to %s is refused before anything is sent there", async (_name, address) => {
    scene.answers(to(address()));
    const reply = await scene.submit(await scene.session(), byToken(holder));

    expect(refusalOf(reply)).toEqual([400, "address_refused", "This address may not be called from here"]);
    expect(hidden.asked).toEqual([]);
    expect(await scene.connections()).toEqual([]);
    expect(await scene.audit()).toEqual([["link_refused", { code: "address_refused" }]]);
    expect(await scene.told()).toMatchObject([{ success: false, error: { type: "address_refused" } }]);
  });
});

test("an address that was listed when the integration was made, and is not any more, gets nothing", async () => {
  const mine = await startHouse({ ...roomy, LATCHKEY_OUTBOUND_ALLOW: provider.origin });
  const { session: newSession, integration } = await openLinkScene(mine, provider);
  const session = await newSession();
  const before = provider.asked.length;
  const again = await mine.restart({ LATCHKEY_OUTBOUND_ALLOW: "https://elsewhere.example" });
  const reply = await again.send("POST", `/api-auth/basic/${integration}?connect_session_token=${session}`, {
    ...byToken(holder),
  });

  expect(codeOf(reply)).toEqual([400, "address_refused"]);
  expect(provider.asked).toHaveLength(before);
});

describe("a password that the provider takes", () => {
  test.each([
    ["no token", { api_token: undefined }],
    ["an empty token", { api_token: "" }],
    ["a token that is none of its tokens", { api_token: "not-hex" }],
    ["a token that is a number", { api_token: 12 }],
  ])("but gives %s for can't be kept", async (_name, change) => {
    scene.answers({ headers: asJson, body: JSON.stringify({ ...identityOf(holder), ...change }) });
    const session = await scene.session();
    const reply = await scene.submit(session, byPassword(holder));

    expect(refusalOf(reply)).toEqual([
      400,
      "token_not_available",
      "The provider accepted the password but gave no API token for it. Use an API token instead.",
    ]);
    expect(await scene.connections()).toEqual([]);
    expect(await scene.audit()).toEqual([["link_refused", { code: "token_not_available" }]]);
    expect(await triesOf(session)).toBe(0);
  });
});
