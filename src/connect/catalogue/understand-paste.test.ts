import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { shipped } from "./providers.fixture.ts";
import type { Provider, Shape } from "./model/provider.ts";
import { shapeOf } from "./shape-of.ts";
import { understandPaste } from "./understand-paste.ts";

const token = "1971800d4d82861d8f2c1651fea4d212";
const encode = (text: string): string => Buffer.from(text, "utf8").toString("base64");

const shapeNamed = (provider: Provider, name: string): Shape => {
  const shape = provider.shapes.find((one) => one.name === name);
  if (!shape) throw new Error(`No shape ${name}`);
  return shape;
};

const paste = (of: string, shape: string, values: Readonly<Record<string, unknown>>) => {
  const provider = shipped(of);
  const understood = understandPaste(provider, shapeNamed(provider, shape), values);
  return [understood.shape.name, understood.values];
};

describe("a token that was copied with more around it", () => {
  test.each([
    `${token}:api_token`,
    `  ${token}:api_token\n`,
    `"${token}:api_token"`,
    `curl -u ${token}:api_token https://api.track.toggl.com/api/v9/me`,
    `$ curl -u${token}:api_token https://api.track.toggl.com/api/v9/me`,
    `curl --user=${token}:api_token https://api.track.toggl.com/api/v9/me`,
    `curl https://api.track.toggl.com/api/v9/me \\\n  -H "Content-Type: application/json" \\\n  --user '${token}:api_token'`,
    `curl -sSu "${token}:api_token" https://api.track.toggl.com/api/v9/me`,
    `curl -H 'Authorization: Basic ${encode(`${token}:api_token`)}' https://api.track.toggl.com/api/v9/me`,
    `curl https://${token}:api_token@api.track.toggl.com/api/v9/me`,
    `curl -u ${token} https://api.track.toggl.com/api/v9/me`,
    `Authorization: Basic ${encode(`${token}:api_token`)}`,
    `authorization:basic ${encode(`${token}:api_token`)}`,
    `Basic ${encode(`${token}:api_token`)}`,
    `Basic ${encode(`${token}:api_token`).replaceAll("=", "")}`,
  ])("%s", (pasted) => {
    expect(paste("toggl", "token", { username: pasted })).toEqual(["token", { username: token }]);
    expect(paste("latchkey", "token", { username: pasted, password: "" })).toEqual([
      "token",
      { username: token },
    ]);
    // Also in the other form's first field.
    expect(paste("toggl", "email_password", { username: pasted, password: "" })).toEqual([
      "token",
      { username: token },
    ]);
  });
});

describe("the token and the word that stands beside it, in each other's places", () => {
  test.each(["toggl", "latchkey"])("are understood: %s", (provider) => {
    for (const shape of ["token", "email_password"]) {
      const swapped = paste(provider, shape, { username: "api_token ", password: token });
      expect(swapped).toEqual(["token", { username: token }]);
    }
  });

  test("what is no token there is told of as a token", () => {
    const values = { username: "api_token", password: "1971800d" };
    expect(paste("toggl", "email_password", values)).toEqual(["token", { username: "1971800d" }]);
  });

  test("without anything in the other's place nobody is told of a swap", () => {
    for (const password of ["", "api_token"]) {
      const values = { username: "api_token", password };
      expect(paste("toggl", "email_password", values)).toEqual(["email_password", values]);
    }
  });
});

describe("an e-mail address and a password among it", () => {
  test.each([
    `curl -u 'ada@example.com:pass word' https://api.track.toggl.com/api/v9/me`,
    `Authorization: Basic ${encode("ada@example.com:pass word")}`,
    `curl "https://ada%40example.com:pass%20word@api.track.toggl.com/api/v9/me"`,
  ])("is understood as such: %s", (pasted) => {
    expect(paste("toggl", "token", { username: pasted })).toEqual([
      "email_password",
      { username: "ada@example.com", password: "pass word" },
    ]);
  });
});

describe("what is not understood stays as it is", () => {
  test.each([
    token,
    "",
    "ada@example.com",
    "curl",
    "curl https://api.track.toggl.com/api/v9/me",
    "curl -u 'open quote",
    "Basic !!!",
    `Basic ${encode("no colon")}`,
    `Basic ${Buffer.from([0x61, 0x3a, 0xff]).toString("base64")}`,
    `Basic ${encode("a:b\r\nX: 1")}`,
    "Bearer abc",
    "a:b",
    ":api_token",
  ])("%s", (pasted) => {
    expect(paste("toggl", "token", { username: pasted })).toEqual(["token", { username: pasted }]);
  });

  test("other types, and a person's password", () => {
    const values = { username: 5, password: `curl -u ${token}:api_token x` };
    expect(paste("toggl", "email_password", values)).toEqual(["email_password", values]);
  });
});

describe("keys of other providers", () => {
  test.each([
    [
      "ashby",
      "api_key",
      "username",
      "curl https://api.ashbyhq.com/apiKey.info -u KEY: -X POST",
      { username: "KEY" },
    ],
    ["ashby", "api_key", "username", "KEY:", { username: "KEY" }],
    ["freshdesk", "api_key", "username", "KEY:X", { username: "KEY" }],
    ["slack-token", "token", "apiKey", "Bearer xoxb-1", { apiKey: "xoxb-1" }],
    ["slack-token", "token", "apiKey", "authorization: bearer xoxb-1", { apiKey: "xoxb-1" }],
    [
      "slack-token",
      "token",
      "apiKey",
      `curl -H "Authorization: Bearer xoxb-1" https://slack.com/api/auth.test`,
      { apiKey: "xoxb-1" },
    ],
    ["gitlab-token", "token", "apiKey", "PRIVATE-TOKEN: glpat-1", { apiKey: "glpat-1" }],
    [
      "gitlab-token",
      "token",
      "apiKey",
      `curl --header "PRIVATE-TOKEN: glpat-1" https://gitlab.com/api/v4/user`,
      { apiKey: "glpat-1" },
    ],
    [
      "pipedrive-token",
      "token",
      "apiKey",
      "https://api.pipedrive.com/v1/users/me?api_token=abc&x=1",
      { apiKey: "abc" },
    ],
    [
      "pipedrive-token",
      "token",
      "apiKey",
      "curl 'https://api.pipedrive.com/v1/deals?api_token=abc'",
      { apiKey: "abc" },
    ],
    ["gitlab-token", "token", "apiKey", "glpat-1", { apiKey: "glpat-1" }],
    ["gitlab-token", "token", "apiKey", "X-Other: glpat-1", { apiKey: "X-Other: glpat-1" }],
  ])("%s: %s %s %s", (of, shape, field, pasted, values) => {
    expect(paste(of, shape, { [field]: pasted })).toEqual([shape, values]);
  });
});

describe("which shape is meant where nobody says so", () => {
  const toggl = shipped("toggl");
  test.each([
    [{ username: token, password: "api_token" }, "token"],
    [{ username: "cut off", password: "api_token" }, "token"],
    [{ username: token, password: " api_token " }, "token"],
    [{ username: token, password: "" }, "token"],
    [{ username: token }, "token"],
    [{ username: "ada@example.com", password: "secret" }, "email_password"],
    [{ username: token, password: "secret" }, "email_password"],
    [{ username: "ada@example.com", password: "" }, "email_password"],
    [{}, "email_password"],
    [{ username: 5 }, "email_password"],
  ])("%j", (submitted, name) => {
    expect(shapeOf(toggl, submitted).name).toBe(name);
  });

  test("the only one, whatever is sent", () => {
    expect(shapeOf(shipped("slack-token"), { username: "a" }).name).toBe("token");
    expect(shapeOf(shipped("freshdesk"), { username: "a", password: "not X" }).name).toBe("api_key");
  });
});

describe("properties", () => {
  const word = fc.string({
    unit: fc.constantFrom(...Array.from("abcXYZ019-_.~!?#$%^&*()+=,;@ '\"\\`é€")),
    minLength: 1,
    maxLength: 12,
  });
  /** As a shell needs them: written anew, by the rules of quoting and not by those of reading. */
  const quotings: ReadonlyArray<(text: string) => string> = [
    (text) => `'${text.replaceAll("'", `'\\''`)}'`,
    (text) => `"${text.replaceAll(/[\\"$`]/g, "\\$&")}"`,
    (text) => text.replaceAll(/[^\w]/gu, (letter) => `\\${letter}`),
  ];
  const options = ["-u ", "--user ", "-u", "--user=", "-su "];

  test("a quoted curl line gives back the pair that was put in", () => {
    const toggl = shipped("toggl");
    const name = fc.oneof(
      fc.constant(token),
      word.filter((text) => text.trim() !== "" && !text.includes(":")),
    );
    const secret = fc.oneof(
      fc.constant("api_token"),
      // Nothing but blanks is no password that somebody sends along.
      word.filter((text) => text.trim() !== ""),
    );
    fc.assert(
      fc.property(
        name,
        secret,
        fc.constantFrom(...quotings),
        fc.constantFrom(...options),
        (user, password, quote, option) => {
          const line = `curl -s ${option}${quote(`${user}:${password}`)} -X GET 'https://api.track.toggl.com/api/v9/me'`;
          const { shape, values } = understandPaste(toggl, shapeNamed(toggl, "token"), { username: line });
          const expected =
            password.trim() === "api_token"
              ? ["token", { username: user }]
              : ["email_password", { username: user, password }];
          expect([shape.name, values]).toEqual(expected);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("a Basic header gives back the pair that was put in", () => {
    const toggl = shipped("toggl");
    const text = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
      .filter((one) => one.isWellFormed() && !/[\p{Cc}\ufffd]/u.test(one));
    fc.assert(
      fc.property(
        text.filter((one) => !one.includes(":")),
        text,
        fc.boolean(),
        (user, password, padded) => {
          const code = encode(`${user}:${password}`);
          const line = `Authorization: Basic ${padded ? code : code.replaceAll("=", "")}`;
          const { values } = understandPaste(toggl, shapeNamed(toggl, "token"), { username: line });
          expect(values["username"]).toBe(user);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("anything may be pasted anywhere: it is understood or left alone, and nothing is thrown", () => {
    const piece = fc.constantFrom(
      "curl ",
      "-u",
      " -u ",
      "--user=",
      "-H ",
      "Authorization: ",
      "Basic ",
      "Bearer ",
      "'",
      '"',
      "\\",
      ":",
      "\n",
      "api_token",
      "https://",
      "@",
      "%",
      "YTpi",
      "=",
      token,
      "X",
      "?api_token=",
      "PRIVATE-TOKEN:",
    );
    const text = fc.oneof(
      fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join("")),
      fc.string({ unit: "binary" }),
    );
    const names = ["toggl", "ashby", "slack-token", "pipedrive-token", "gitlab-token", "zendesk-api-key"];
    fc.assert(
      fc.property(fc.constantFrom(...names), text, fc.oneof(text, fc.anything()), (of, one, other) => {
        const provider = shipped(of);
        const given = { username: one, password: other, apiKey: one };
        for (const shape of provider.shapes) {
          const { shape: found, values } = understandPaste(provider, shape, given);
          expect(provider.shapes).toContain(found);
          if (values === given) continue;
          for (const [name, value] of Object.entries(values)) {
            expect(found.fields[name]?.hidden).toBe(false);
            expect(typeof value).toBe("string");
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});
