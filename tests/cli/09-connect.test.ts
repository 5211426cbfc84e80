import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { auditOf, leavePlaces, newPlace, signUp, type Place, type Server } from "../support/command.ts";
import { codeOf, connectClient, done, type ConnectClient } from "../support/connect.ts";
import { statusWithinSecond } from "../support/refused-soon.ts";
import { fieldsOf, listOf } from "../support/shapes.ts";

/** From nothing to a link that somebody can open, by the command line; the server runs meanwhile. */

let place: Place;
let server: Server;
let dev: ConnectClient;
let prod: ConnectClient;
beforeAll(async () => {
  place = await newPlace();
  server = await place.serve();
  [dev, prod] = await Promise.all([byKey("dev"), byKey("prod")]);
});
afterAll(leavePlaces);

const latchkey = (...args: string[]) => place.latchkey(args);
const printed = async (...args: string[]): Promise<string> => {
  const { code, out, err } = await latchkey(...args);
  expect({ code, err: code === 0 ? "" : err }).toEqual({ code: 0, err: "" });
  return out.trimEnd();
};
const byKey = async (environment: string, ...more: string[]) =>
  connectClient(server, await printed("environment", "key", environment, ...more));

const tokenOf = (link: string): string => link.split("#session_token=")[1] ?? "";

test("key, integration, link: each command prints what it made, alone", async () => {
  const made = await latchkey("integration", "create", "mine", "--provider", "latchkey");
  expect(made).toEqual({ code: 0, out: "mine\n", err: "" });
  expect(fieldsOf((await done(dev.get("/integrations/mine")))["data"])).toMatchObject({
    provider: "latchkey",
    display_name: "Latchkey",
  });

  const link = await printed(
    ..."connect session create --integration mine --user user-1 --email user@example.com".split(" "),
  );
  expect(link).toMatch(
    /^http:\/\/localhost:\d+\/connect\/#session_token=nango_connect_session_[0-9a-f]{64}$/,
  );

  const form = connectClient(server, tokenOf(link));
  expect((await done(form.get("/connect/session")))["data"]).toMatchObject({
    endUser: { id: "user-1", email: "user@example.com" },
    allowed_integrations: ["mine"],
  });
  const { token } = await signUp(server, "ada@example.com", "correct horse 7");
  const linked = await done(
    server.send("POST", `/api-auth/basic/mine?connect_session_token=${tokenOf(link)}`, {
      json: { username: token, password: "api_token" },
    }),
  );
  const path = `/connections/${String(linked["connectionId"])}?provider_config_key=mine`;
  expect(await done(dev.get(path))).toMatchObject({
    credentials: { type: "BASIC", username: token },
    account: { email: "ada@example.com" },
    end_user: { id: "user-1" },
  });
});

describe("latchkey integration create", () => {
  test("takes a name, an address and an environment", async () => {
    const { out, err } = await latchkey(
      ..."integration create hours --provider toggl --environment prod --name Hours".split(" "),
      "--base-url=https://toggl.example.com/",
      "--json",
    );

    expect(err).toBe("");
    expect(JSON.parse(out)).toEqual({
      environment: "prod",
      unique_key: "hours",
      provider: "toggl",
      display_name: "Hours",
      integration_config: { base_url: "https://toggl.example.com" },
    });
    expect(codeOf(await dev.get("/integrations/hours"))).toEqual([404, "not_found"]);
    expect((await prod.get("/integrations/hours")).status).toBe(200);
    expect((await auditOf(place)).filter(({ event }) => event === "integration_created")).toContainEqual(
      expect.objectContaining({ channel: "cli", outcome: "done" }),
    );
  });

  test.each([
    [["x", "--provider", "no-such-provider"], "Invalid provider"],
    [["x", "--provider", "toggl", "--environment", "nope"], "There is no environment nope"],
    [["x", "--provider", "toggl", "--base-url", "http://10.0.0.1"], "LATCHKEY_OUTBOUND_ALLOW"],
    [["x/y", "--provider", "toggl", "--name", ""], "unique_key: has a character"],
  ])("%j is refused with a sentence, and makes nothing", async (args, sentence) => {
    const { code, out, err } = await latchkey("integration", "create", ...args);

    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain(sentence);
    expect(codeOf(await dev.get("/integrations/x"))).toEqual([404, "not_found"]);
  });

  test("twice says that the key is taken", async () => {
    await printed("integration", "create", "twice", "--provider", "toggl");
    const { code, err } = await latchkey("integration", "create", "twice", "--provider", "latchkey");

    expect([code, err]).toEqual([1, expect.stringContaining("already exists")]);
  });

  test("without a provider says what is missing", async () => {
    const { code, err } = await latchkey("integration", "create", "x");

    expect([code, err.split("\n", 1)[0]]).toEqual([2, "integration create needs --provider."]);
  });
});

describe("latchkey connect session create", () => {
  test("makes a link for all integrations, and for nobody in particular", async () => {
    const { out, err } = await latchkey("connect", "session", "create", "--environment", "prod", "--json");
    const made = fieldsOf(JSON.parse(out));

    expect(err).toBe("");
    expect(made).toMatchObject({ environment: "prod", connect_link: expect.stringContaining("/connect/#") });
    const session = await done(connectClient(server, String(made["token"])).get("/connect/session"));
    expect(session["data"]).toMatchObject({ endUser: null, finished: false });
    expect(session["data"]).not.toHaveProperty("allowed_integrations");
  });

  test("tags the connection with an address alone", async () => {
    await printed("integration", "create", "tagged", "--provider", "latchkey");
    const link = await printed("connect", "session", "create", "--email", "who@example.com");
    const { token } = await signUp(server, "tagged@example.com", "correct horse 7");
    await done(
      server.send("POST", `/api-auth/basic/tagged?connect_session_token=${tokenOf(link)}`, {
        json: { username: token, password: "api_token" },
      }),
    );
    const found = listOf(
      (await done(dev.get("/connections?tags[end_user_email]=who@example.com")))["connections"],
    );

    expect(found).toMatchObject([{ provider_config_key: "tagged", end_user: null }]);
  });

  test.each([
    [["--integration", "nope"], "Integration does not exist"],
    [["--environment", "nope"], "There is no environment nope"],
    [["--user", "u", "--email", "nonsense"], "end_user.email"],
  ])("%j is refused with a sentence", async (args, sentence) => {
    const { code, out, err } = await latchkey("connect", "session", "create", ...args);

    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain(sentence);
  });
});

describe("commands of three words", () => {
  test.each([
    [["connect"], 'Say what to do with "connect": session create, check.'],
    [["connect", "session"], 'Say what to do with "connect session": create.'],
    [
      ["connect", "sesion", "create"],
      '"connect sesion" is not a command. Did you mean "connect session create"?',
    ],
    [["integration"], 'Say what to do with "integration": create.'],
  ])("%j is told what it lacks, and nothing is done", async (args, sentence) => {
    const { code, out, err } = await latchkey(...args);

    expect({ code, out, said: err.split("\n", 1)[0] }).toEqual({ code: 2, out: "", said: sentence });
  });

  test("have help", async () => {
    const { out } = await latchkey("help", "connect", "session", "create");

    expect(out).toContain("Usage: latchkey connect session create [--environment NAME]");
    expect(await latchkey("connect", "session", "--help")).toMatchObject({ code: 0, out });
  });
});

describe("latchkey environment", () => {
  test("create makes a fence, key opens it, and a revoked key is refused within a second", async () => {
    expect(await printed("environment", "create", "staging")).toBe("staging");
    const app = await byKey("staging", "--name", "backend", "--scopes", "environment:integrations:list");

    expect((await app.get("/integrations")).json()).toEqual({ data: [] });
    expect(codeOf(await app.get("/connections"))).toEqual([403, "forbidden"]);
    await printed("environment", "key", "staging", "--revoke", "backend");
    expect(await statusWithinSecond(() => app.get("/integrations"))).toBe(401);
  });
});
