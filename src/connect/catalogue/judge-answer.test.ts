import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { judgeAnswer, readAccount, swappedFor, type ProviderAnswer } from "./judge-answer.ts";
import { outcome } from "./model/provider.ts";
import { catalogue, fileOf, shipped, written } from "./providers.fixture.ts";

const now = Date.UTC(2026, 10, 22, 12, 0, 0);

const answer = (status: number, body: unknown, headers: ProviderAnswer["headers"] = {}): ProviderAnswer => ({
  status,
  headers,
  body: typeof body === "string" ? body : JSON.stringify(body),
});

const html = "<!doctype html><title>Sign in</title>";
const account = (id: string, name: string | null, email: string | null, workspace: string | null) => ({
  id,
  name,
  email,
  workspace,
});

describe("where a file says nothing, every provider is judged alike", () => {
  const plain = written(fileOf(""));
  const me = { id: "1" };
  test.each([
    [200, me, "accepted"],
    [201, me, "accepted"],
    [200, html, "unexpected"],
    [200, "", "unexpected"],
    [204, "", "unexpected"],
    [200, [], "unexpected"],
    [200, "null", "unexpected"],
    [200, { name: "nobody" }, "unexpected"],
    [200, { id: "" }, "unexpected"],
    [200, { id: null }, "unexpected"],
    [200, { id: true }, "unexpected"],
    [200, { id: "a\nb" }, "unexpected"],
    [200, { id: "x".repeat(256) }, "unexpected"],
    // Rounded when it was read: two accounts could become one.
    [200, '{"id":9007199254740993}', "unexpected"],
    [301, me, "unexpected"],
    [302, html, "unexpected"],
    [400, me, "unexpected"],
    [401, me, "wrong_credentials"],
    [402, me, "quota"],
    [403, html, "wrong_credentials"],
    [404, me, "unexpected"],
    [408, "", "unavailable"],
    [418, "", "unexpected"],
    [429, me, "rate_limited"],
    [500, me, "unavailable"],
    [503, html, "unavailable"],
    [599, "", "unavailable"],
  ])("%i %j", (status, body, expected) => {
    expect(judgeAnswer(plain, answer(status, body), now).outcome).toBe(expected);
  });
});

describe("rules of a file", () => {
  test("every part of one must hold, and the first that fits decides", () => {
    const provider = written(
      fileOf(`outcomes:
  - when: { status: [2xx, 404-405], body: { path: errors.0.code, matches: "4\\\\d\\\\d" }, header: { name: X-Kind, matches: auth } }
    is: wrong_credentials
  - when: { body: { path: errors.0.code, matches: "4\\\\d\\\\d" } }
    is: unavailable
  - when: { status: [403] }
    is: accepted
`),
    );
    const body = { id: 1, errors: [{ code: 401 }] };
    const judge = (given: ProviderAnswer): string => judgeAnswer(provider, given, now).outcome;
    expect(judge(answer(200, body, { "x-kind": "auth" }))).toBe("wrong_credentials");
    expect(judge(answer(405, body, { "x-kind": "auth" }))).toBe("wrong_credentials");
    expect(judge(answer(406, body, { "x-kind": "auth" }))).toBe("unavailable");
    expect(judge(answer(200, body, { "x-kind": "authors" }))).toBe("unavailable");
    expect(judge(answer(200, body))).toBe("unavailable");
    expect(judge(answer(200, { id: 1, errors: [] }))).toBe("accepted");
    // Accepted or not, nobody is linked who is not named.
    expect(judge(answer(403, { id: 1 }))).toBe("accepted");
    expect(judge(answer(403, {}))).toBe("unexpected");
  });
});

describe("the account", () => {
  const plain = written(fileOf("").replace("name: [name]", "name: [nick, names.0]"));
  test("is read by the first path that leads to something", () => {
    const body = JSON.stringify({
      id: 12,
      nick: " ",
      names: ["Ada", "Byron"],
      email: "a@b.example",
      company: { name: 7 },
    });
    expect(readAccount(plain, body)).toEqual(account("12", "Ada", "a@b.example", "7"));
    expect(readAccount(plain, Buffer.from(`\ufeff${body}`))).toMatchObject({ id: "12" });
  });

  test("has nothing in it that can't be kept or shown in a line", () => {
    const body = JSON.stringify({ id: "1", nick: `A\0\r\n<b>${"😀".repeat(300)}`, email: "\ud800x" });
    const read = readAccount(plain, body);
    expect(read?.name).toMatch(/^A <b>(😀)+/u);
    expect(read?.name?.length).toBeLessThanOrEqual(255);
    expect([read?.name?.isWellFormed(), read?.email?.isWellFormed()]).toEqual([true, true]);
  });

  test("is never what an object inherits", () => {
    const inherited = written(fileOf("").replace("id: id", "id: constructor.name"));
    expect(readAccount(inherited, "{}")).toBeUndefined();
    const ofList = written(fileOf("").replace("id: id", "id: length"));
    expect(readAccount(ofList, "[1]")).toBeUndefined();
    expect(
      readAccount(written(fileOf("").replace("id: id", "id: __proto__")), '{"__proto__":"x"}'),
    ).toMatchObject({
      id: "x",
    });
  });
});

describe("a password that is swapped for a token", () => {
  const toggl = shipped("toggl");
  const [token, pair] = toggl.shapes;
  if (!token || !pair) throw new Error("Toggl has two shapes.");
  const fetched = "1971800d4d82861d8f2c1651fea4d212";

  test("gives the fields of the other shape", () => {
    expect(swappedFor(toggl, pair, JSON.stringify({ id: 1, api_token: fetched }))).toEqual({
      shape: token,
      credentials: { username: fetched, password: "api_token" },
    });
  });

  test.each([
    { id: 1 },
    { api_token: null },
    { api_token: "" },
    { api_token: "short" },
    { api_token: [fetched] },
  ])("gives nothing when there is no right token: %j", (body) => {
    expect(swappedFor(toggl, pair, JSON.stringify(body))).toBeUndefined();
  });

  test("is not done for a shape that says nothing of it", () => {
    expect(swappedFor(toggl, token, JSON.stringify({ api_token: fetched }))).toBeUndefined();
  });
});

test("whatever a stranger answers is judged: one outcome, a whole wait, and an account with an id", () => {
  const body = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
    fc
      .record({ id: fc.anything(), ok: fc.boolean(), error: fc.string(), user: fc.object() })
      .map((json) => JSON.stringify(json) ?? ""),
  );
  const headers = fc.dictionary(
    fc.constantFrom("retry-after", "x-toggl-quota-resets-in", "ratelimit-reset", "x-seraph-loginreason"),
    fc.oneof(fc.string(), fc.nat().map(String), fc.array(fc.string(), { maxLength: 2 })),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...catalogue.all()),
      fc.integer({ min: 100, max: 599 }),
      body,
      headers,
      (provider, status, text, sent) => {
        const verdict = judgeAnswer(provider, { status, headers: sent, body: text }, now);
        expect(outcome.options).toContain(verdict.outcome);
        if (verdict.outcome === "accepted") {
          expect(verdict.account.id).not.toBe("");
          return;
        }
        const { waitSeconds } = verdict;
        if (waitSeconds !== undefined) expect(Number.isInteger(waitSeconds) && waitSeconds >= 0).toBe(true);
      },
    ),
    { numRuns: 1000 },
  );
});
