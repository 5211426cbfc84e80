import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { curls, shellWords } from "../support/curl.ts";
import { roomy, startHouse, stopHouses, type Person, type TestHouse } from "../support/house.ts";
import { codeIn } from "../support/mails.ts";

/**
 * Every snippet of Toggl's page on authentication, as it stands there but for the host: a reader of that page
 * changes two host names and nothing else.
 */

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse(roomy);
});
afterAll(stopHouses);

const snippets = {
  basicPassword: "curl -u <email>:<password> https://api.track.toggl.com/api/v9/me",
  basicToken: "curl -u <token>:api_token https://api.track.toggl.com/api/v9/me",
  createSession: `curl -i 'https://accounts.toggl.com/api/sessions' -X POST -d '{"email":"<your-email>","password":"<your-password>"}' -H 'Content-Type: application/json'`,
  destroySession:
    "curl --cookie __Secure-accounts-session=<cookie value> -X DELETE https://accounts.toggl.com/api/sessions",
  signUp: `curl -i 'https://accounts.toggl.com/api/signup' -X POST -d '{"email":"<your email>","password":"<your password>","display_name":"<your name>","tos_accepted_for":"track", "remember_me":true, "timezone":"America/New_York"}' -H 'Content-Type: application/json'`,
  close:
    "curl --cookie __Secure-accounts-session=<cookie value> 'https://accounts.toggl.com/api/me/close_account/track' -X POST",
  requestReset: `curl https://accounts.toggl.com/api/me/password_reset/request -d '{"email": "<your email>"}' -H 'Content-Type: application/json'`,
  confirmReset: `curl -X POST -H 'Content-Type: application/json' https://accounts.toggl.com/api/me/password_reset/confirm/<password reset code> -d '{"password":"<new password>"}' -i`,
};

type Blanks = Readonly<Record<string, string>>;

/** The snippet's words behind `curl`, with our host and what the reader fills in. */
const typed = (snippet: string, blanks: Blanks): readonly string[] => {
  const local = snippet.replaceAll(
    /https:\/\/(api\.track|accounts)\.toggl\.com/g,
    house.config.origin.origin,
  );
  // Filled in word by word: a value with a blank stays one word, as its reader would quote it.
  const marked = local.replaceAll(/<([^>]*)>/g, (_blank, name: string) => `<${name.replaceAll(" ", "_")}>`);
  return shellWords(marked)
    .slice(1)
    .map((word) =>
      word.replaceAll(/<([^>]*)>/g, (blank, name: string) => blanks[name.replaceAll("_", " ")] ?? blank),
    );
};

const cookieIn = (output: string): string =>
  /^set-cookie: __Secure-accounts-session=([\w.-]+); /im.exec(output)?.[1] ?? "";
const statusIn = (output: string): string => output.split("\r\n", 1)[0]?.split(" ")[1] ?? "";
const bodyIn = (output: string): unknown => JSON.parse(output.slice(output.indexOf("\r\n\r\n") + 4));

let people = 0;
const newcomer = (): Promise<Person> => {
  people += 1;
  return house.person(`curl${people}@example.com`, "a quiet: river");
};

describe.for(curls)("%s", ([, curl]) => {
  const me = async (session: string) => (await house.send("GET", "/api/v9/me", { session })).status;

  test("Basic with email and password", async () => {
    const { email, password } = await newcomer();

    const output = await curl(typed(snippets.basicPassword, { email, password }));

    expect(JSON.parse(output)).toMatchObject({ email });
  });

  test("Basic with the API token", async () => {
    const person = await newcomer();

    const output = await curl(typed(snippets.basicToken, { token: await house.tokenOf(person) }));

    expect(JSON.parse(output)).toMatchObject({ email: person.email });
  });

  test("Basic that fails", async () => {
    const { email } = await newcomer();

    const output = await curl(["-i", ...typed(snippets.basicPassword, { email, password: "wrong" })]);

    expect(statusIn(output)).toBe("403");
  });

  test("create a session, use its cookie, and destroy it", async () => {
    const { email, password } = await newcomer();

    const created = await curl(
      typed(snippets.createSession, { "your-email": email, "your-password": password }),
    );
    expect([statusIn(created), bodyIn(created)]).toEqual(["200", { success: true }]);
    const cookie = cookieIn(created);
    expect(created).toMatch(
      /^set-cookie: __Secure-accounts-session=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax\r$/im,
    );
    const used = await curl([
      "--cookie",
      `__Secure-accounts-session=${cookie}`,
      `${house.config.origin.origin}/api/v9/me`,
    ]);
    expect(JSON.parse(used)).toMatchObject({ email });

    const destroyed = await curl(typed(snippets.destroySession, { "cookie value": cookie }));

    expect(JSON.parse(destroyed)).toEqual({ success: true });
    expect(await me(cookie)).toBe(403);
  });

  test("create a session without -X, which -d makes a POST by itself", async () => {
    const { email, password } = await newcomer();
    const snippet = snippets.createSession.replace(" -X POST", "");

    const output = await curl(typed(snippet, { "your-email": email, "your-password": password }));

    expect(statusIn(output)).toBe("200");
    expect(await me(cookieIn(output))).toBe(200);
  });

  test("a body without its content type, which curl sends as a form", async () => {
    const { email, password } = await newcomer();
    const snippet = snippets.createSession.replace(" -H 'Content-Type: application/json'", "");

    const output = await curl(typed(snippet, { "your-email": email, "your-password": password }));

    expect([statusIn(output), bodyIn(output)]).toEqual(["415", "The body must be sent as application/json"]);
  });

  test("sign up", async () => {
    people += 1;
    const email = `curl${people}@example.com`;

    const output = await curl(
      typed(snippets.signUp, {
        "your email": email,
        "your password": "a quiet: river",
        "your name": "Ada King",
      }),
    );

    expect([statusIn(output), bodyIn(output)]).toEqual(["200", { success: true }]);
    expect(output).toContain("Max-Age=2419200");
    const reply = await house.send("GET", "/api/v9/me", { session: cookieIn(output) });
    expect(reply.json()).toMatchObject({ email, fullname: "Ada King", timezone: "America/New_York" });
  });

  test("close the account", async () => {
    const { email, password, session } = await newcomer();

    const output = await curl(typed(snippets.close, { "cookie value": session }));

    expect(JSON.parse(output)).toEqual({ success: true, undo_until: expect.any(String) });
    expect(await me(session)).toBe(403);
    expect((await house.send("GET", "/api/v9/me", { basic: [email, password] })).status).toBe(403);
  });

  test("take the account back, as the mail says", async () => {
    const { email, password, session } = await newcomer();
    await curl(typed(snippets.close, { "cookie value": session }));
    const mail = await house.mailTo(email, "Your account was closed");

    const command = mail?.text.split("\n").find((line) => line.startsWith("curl ")) ?? "";
    const output = await curl(shellWords(command.replace("…", "a river taken back")).slice(1));

    expect(JSON.parse(output)).toEqual({ success: true, token_replaced: true });
    expect((await house.send("GET", "/api/v9/me", { basic: [email, password] })).status).toBe(403);
    expect((await house.send("GET", "/api/v9/me", { basic: [email, "a river taken back"] })).status).toBe(
      200,
    );
  });

  test("request a password reset, and set a new password", async () => {
    const { email, password, session } = await newcomer();

    const requested = await curl(typed(snippets.requestReset, { "your email": email }));
    expect(JSON.parse(requested)).toEqual({ success: true });
    const code = codeIn(await house.mailTo(email, "Reset your password"));
    const confirmed = await curl(
      typed(snippets.confirmReset, { "password reset code": code, "new password": "a new: river" }),
    );

    expect([statusIn(confirmed), bodyIn(confirmed)]).toEqual([
      "200",
      { success: true, token_replaced: true },
    ]);
    expect([await me(session), await me(cookieIn(confirmed))]).toEqual([403, 200]);
    expect((await house.send("GET", "/api/v9/me", { basic: [email, password] })).status).toBe(403);
    expect((await house.send("GET", "/api/v9/me", { basic: [email, "a new: river"] })).status).toBe(200);
  });
});
