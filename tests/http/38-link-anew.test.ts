import { beforeEach, describe, expect, test } from "vitest";
import { codeOf, done, refusalOf } from "../support/connect.ts";
import type { TestHouse } from "../support/house.ts";
import {
  byPassword,
  byToken,
  linkingSuite,
  newHolder,
  shownAccount,
  toggl,
  type Holder,
  type LinkScene,
} from "../support/link-scene.ts";
import { fullEndUser, fullTags, fullTerms } from "../support/linked-accounts.ts";
import { fieldsOf } from "../support/shapes.ts";
import type { Upstream } from "../support/upstream.ts";
import { arrivedAt } from "../support/webhooks.ts";

/** Somebody whose credentials stopped working links the same account again, and the app loses nothing. */

let provider: Upstream;
let house: TestHouse;
let scene: LinkScene;
let holder: Holder;
linkingSuite((linking) => {
  ({ provider, house, scene, holder } = linking);
});

/** The same person with a new token. */
let renewed: Holder;
let connection: string;
/** Where the app wants to hear of this connection. */
let hook: URL;
const metadata = { plan: { seats: 3 }, notes: ["a"] };
beforeEach(async () => {
  renewed = { ...newHolder(), id: holder.id, name: "Ada Lovelace" };
  scene.answers(toggl(holder, renewed));
  hook = provider.url(`/of-one/${scene.environment}`);
  provider.answers(hook.pathname, { status: 204 });
  connection = await scene.link(holder, {
    ...fullTerms,
    webhook_url_override: hook.href,
  });
  await done(scene.app.post("/connections/metadata", { ...named(), metadata }));
  await scene.told();
  heard = arrivedAt(provider, hook.pathname).length;
});

let heard = 0;

/** What the app was told of the connection since it was linked, and nothing anywhere else. */
const told = async (): Promise<readonly unknown[]> => {
  expect(await scene.told()).toEqual([]);
  return arrivedAt(provider, hook.pathname)
    .slice(heard)
    .map(({ fields }) => fields);
};

const named = () => ({ connection_id: connection, provider_config_key: scene.integration });

const works = async (token: string): Promise<void> => {
  const before = scene.asked().length;
  expect(await done(scene.app.post("/connections/verify", named()))).toMatchObject({ state: "live" });
  expect(scene.asked()).toHaveLength(before + 1);
  expect(await scene.read(connection)).toMatchObject({ credentials: { username: token } });
};

describe("new credentials of the same account", () => {
  test("take the place of the old ones, and everything else stays", async () => {
    const before = await scene.read(connection);
    house.clock.advance(5000);
    const session = await scene.sessionFor(connection);
    const reply = await scene.submit(session, byToken(renewed));

    expect([reply.status, reply.json()]).toEqual([
      200,
      { connectionId: connection, providerConfigKey: scene.integration, account: shownAccount(renewed) },
    ]);
    const at = new Date(house.clock.now()).toISOString().replace("Z", "+00:00");
    expect(await scene.read(connection)).toEqual({
      ...before,
      credentials: { type: "BASIC", username: renewed.token, password: "api_token" },
      account: shownAccount(renewed),
      last_verified_at: at,
      updated_at: at,
      last_fetched_at: at,
    });
    expect(before).toMatchObject({
      metadata,
      end_user: fullEndUser,
      tags: fullTags,
      webhook_url_override: hook.href,
    });
    expect(await scene.connections()).toHaveLength(1);
    expect((await scene.audit()).at(-1)).toEqual(["connection_linked_anew", { connection }]);
    expect(codeOf(await scene.submit(session, byToken(renewed)))).toEqual([401, "connect_session_finished"]);
  });

  test("tell the app, where its webhooks of this connection go", async () => {
    expect((await scene.submit(await scene.sessionFor(connection), byToken(renewed))).status).toBe(200);

    expect(await told()).toMatchObject([
      {
        event: "connection.reconnected",
        operation: "override",
        success: true,
        connectionId: connection,
        account: shownAccount(renewed),
        tags: fullTags,
      },
    ]);
  });

  test("are a password where they were a token", async () => {
    expect((await scene.submit(await scene.sessionFor(connection), byPassword(renewed))).status).toBe(200);
    await works(renewed.token);
  });

  test("bring a connection that was failing back to life", async () => {
    scene.answers(toggl(renewed));
    expect(await done(scene.app.post("/connections/verify", named()))).toMatchObject({ state: "failing" });
    expect((await scene.submit(await scene.sessionFor(connection), byToken(renewed))).status).toBe(200);

    expect(await scene.read(connection)).toMatchObject({ state: "live", state_reason: null, errors: [] });
    await works(renewed.token);
  });

  test("say what the session says of whom they are, and add its tags", async () => {
    const session = await scene.sessionFor(connection, {
      end_user: { id: "user-2", email: "two@example.com" },
      tags: { project: "beta", since: "today" },
    });
    expect((await scene.submit(session, byToken(renewed))).status).toBe(200);

    expect(await scene.read(connection)).toMatchObject({
      end_user: { id: "user-2", email: "two@example.com" },
      tags: {
        ...fullTags,
        end_user_id: "user-2",
        end_user_email: "two@example.com",
        project: "beta",
        since: "today",
      },
      metadata,
    });
  });

  test("are for this integration only", async () => {
    await done(scene.app.post("/integrations", { provider: "toggl", unique_key: "other" }));
    const reply = await scene.submit(await scene.sessionFor(connection), {
      ...byToken(renewed),
      integration: "other",
    });

    expect(codeOf(reply)).toEqual([400, "integration_not_allowed"]);
    await works(holder.token);
  });

  test("of two at once are linked one after the other, and the last one is kept as a whole", async () => {
    const third = { ...newHolder(), id: holder.id };
    scene.answers(toggl(holder, renewed, third));
    const sessions = [await scene.sessionFor(connection), await scene.sessionFor(connection)];
    const replies = await Promise.all(
      sessions.map((session, index) => scene.submit(session, byToken(index === 0 ? renewed : third))),
    );

    expect(replies.map(({ status }) => status)).toEqual([200, 200]);
    const { credentials, account } = await scene.read(connection);
    const kept = fieldsOf(credentials)["username"] === renewed.token ? renewed : third;
    expect(account).toEqual(shownAccount(kept));
    await works(kept.token);
  });
});

describe("credentials of another account", () => {
  let other: Holder;
  beforeEach(() => {
    other = newHolder();
    scene.answers(toggl(holder, other));
  });

  test("are not taken until the person says that they mean it", async () => {
    const session = await scene.sessionFor(connection);
    const before = await scene.read(connection);
    const reply = await scene.submit(session, byToken(other));

    const { id: _, ...withoutId } = shownAccount(holder);
    expect(refusalOf(reply)).toEqual([
      409,
      "different_account",
      "This is another account than the one that was linked before",
    ]);
    expect(fieldsOf(fieldsOf(reply.json())["error"])["payload"]).toEqual({
      before: { ...withoutId, email: holder.email.replace(/^(.).*@/, "$1…@") },
      now: shownAccount(other),
    });
    expect(reply.text).not.toContain(other.token);
    expect(await scene.read(connection)).toEqual(before);
    expect(await told()).toEqual([]);
    await works(holder.token);

    const confirmed = { ...byToken(other), query: "&confirm_account_change=true" };
    expect((await scene.submit(session, confirmed)).json()).toMatchObject({
      connectionId: connection,
      account: shownAccount(other),
    });
    expect(await scene.read(connection)).toMatchObject({
      account: shownAccount(other),
      metadata,
      tags: fullTags,
    });
    await works(other.token);
  });

  test("that were asked about may be taken back: the right account's are linked without a word", async () => {
    const session = await scene.sessionFor(connection);
    expect((await scene.submit(session, byToken(other))).status).toBe(409);

    expect((await scene.submit(session, byToken(holder))).status).toBe(200);
    await works(holder.token);
  });

  test("confirmed at a first time mean nothing", async () => {
    const reply = await scene.submit(await scene.session(), {
      ...byToken(other),
      query: "&confirm_account_change=true",
    });

    expect(reply.status).toBe(200);
    expect(await scene.connections()).toHaveLength(2);
  });

  test("are found out, too, when the account changed while the provider was asked", async () => {
    const mine = await scene.sessionFor(connection);
    const theirs = await scene.sessionFor(connection);
    const answer = toggl(holder, other);
    const slow = Promise.withResolvers<void>();
    scene.answers((asked) => ({ ...answer(asked), after: slow.promise }));
    const first = scene.submit(mine, byToken(holder));
    await expect.poll(() => scene.asked().length, { timeout: 10_000 }).toBe(2);
    scene.answers(answer);
    const confirmed = { ...byToken(other), query: "&confirm_account_change=true" };
    expect((await scene.submit(theirs, confirmed)).status).toBe(200);
    slow.resolve();

    expect(codeOf(await first)).toEqual([409, "different_account"]);
    await works(other.token);
  });
});

describe("a link that does not work out", () => {
  test.each([
    ["wrong ones", { status: 403 }, 400, "connection_test_failed"],
    ["a provider that is down", { status: 500 }, 502, "provider_unavailable"],
    ["no quota", { status: 402 }, 402, "provider_quota"],
    ["a page", { body: "<p>" }, 502, "unexpected_answer"],
  ])("for %s leaves the old credentials working", async (_name, script, status, code) => {
    const before = await scene.read(connection);
    const session = await scene.sessionFor(connection);
    scene.answers(script);

    expect(codeOf(await scene.submit(session, byToken(renewed)))).toEqual([status, code]);
    expect(await scene.read(connection)).toEqual(before);
    expect(await told()).toMatchObject([
      {
        event: "connection.attempt_failed",
        operation: "override",
        success: false,
        connectionId: connection,
        error: { type: code },
        account: shownAccount(holder),
        state: "live",
      },
    ]);
    expect((await scene.audit()).at(-1)).toEqual(["link_refused", { code }]);
    scene.answers(toggl(holder));
    await works(holder.token);
  });

  test("because the connection was deleted while the provider was asked", async () => {
    const session = await scene.sessionFor(connection);
    const answer = toggl(renewed);
    scene.answers((asked) => ({
      ...answer(asked),
      after: done(scene.app.delete(`/connections/${connection}?provider_config_key=${scene.integration}`)),
    }));

    expect(refusalOf(await scene.submit(session, byToken(renewed)))).toEqual([
      400,
      "invalid_connection",
      "The connection to link anew is gone",
    ]);
    expect(await scene.connections()).toEqual([]);
  });
});

test("what the app writes while the provider is asked is not lost", async () => {
  const session = await scene.sessionFor(connection);
  const answer = toggl(renewed);
  const path = `/connections/${connection}?provider_config_key=${scene.integration}`;
  const write = async (): Promise<void> => {
    await done(scene.app.patch("/connections/metadata", { ...named(), metadata: { since: "just now" } }));
    await done(scene.app.patch(path, { tags: { fresh: "yes" }, webhook_url_override: `${hook.href}/moved` }));
  };
  scene.answers((asked) => ({ ...answer(asked), after: write() }));
  expect((await scene.submit(session, byToken(renewed))).status).toBe(200);

  expect(await scene.read(connection)).toMatchObject({
    credentials: { username: renewed.token },
    metadata: { ...metadata, since: "just now" },
    tags: { fresh: "yes" },
    webhook_url_override: `${hook.href}/moved`,
  });
  expect(fieldsOf((await scene.read(connection))["tags"])).not.toHaveProperty("plan");
});
