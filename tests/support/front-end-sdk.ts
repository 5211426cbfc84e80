// The original's published SDK for browsers, as it is, and everything that it may ask a server for. Who runs these cases
// says where the SDK runs.

import { describe, expect, test } from "vitest";
import { connectSession, done, type ConnectClient } from "./connect.ts";
import { apiKey, basic, integrations, type SdkHouse, type SdkScene } from "./sdk-scene.ts";
import { fieldsOf, listOf } from "./shapes.ts";

type Made = { readonly connectSessionToken: string } | { readonly publicKey: string };

type Call = {
  readonly made: Made;
  readonly method: "auth" | "create" | "reconnect";
  readonly args: readonly unknown[];
};

/** How a call ended: what it was answered, or what was thrown. */
export type Outcome =
  | { readonly done: unknown }
  | { readonly thrown: { readonly type: unknown; readonly message: unknown } };

/** Makes the SDK anew with the house as its host, and calls it. */
export type FrontEnd = (call: Call) => Promise<Outcome>;

/** A refusal that the SDK understood: its code, and a sentence for people. */
const told = (code: string) => ({ thrown: { type: code, message: expect.stringMatching(/\w+ \w+/) } });

const linked = (integration: string) => ({
  done: expect.objectContaining({ connectionId: expect.any(String), providerConfigKey: integration }),
});

const idOf = (outcome: Outcome): string =>
  String("done" in outcome ? fieldsOf(outcome.done)["connectionId"] : JSON.stringify(outcome.thrown));

const connectionsOf = async (app: ConnectClient) =>
  listOf((await done(app.get("/connections")))["connections"]);

export const describeFrontEnd = (all: () => SdkHouse, frontEnd: FrontEnd): void => {
  type At = SdkScene & {
    readonly call: (method: Call["method"], ...args: readonly unknown[]) => Promise<Outcome>;
  };

  /** The SDK as an app makes it for a new session. */
  const open = async (terms?: Readonly<Record<string, unknown>>): Promise<At> => {
    const scene = await all().scene();
    const connectSessionToken = await scene.session(terms);
    return {
      ...scene,
      call: (method, ...args) => frontEnd({ made: { connectSessionToken }, method, args }),
    };
  };

  const again = async ({ app }: SdkScene, connection: string, ...args: readonly unknown[]) => {
    const { data } = await done(
      app.post("/connect/sessions/reconnect", { connection_id: connection, integration_id: "toggl" }),
    );
    const connectSessionToken = String(fieldsOf(data)["token"]);
    return frontEnd({ made: { connectSessionToken }, method: "reconnect", args });
  };

  describe("links an account", () => {
    test("auth, with a user name and a password", async () => {
      const at = await open({ end_user: { id: "u-1" }, tags: { project: "alpha" } });
      const outcome = await at.call("auth", "toggl", { credentials: { ...basic, type: "BASIC" } });

      expect(outcome).toEqual(linked("toggl"));
      expect(await connectionsOf(at.app)).toMatchObject([
        {
          connection_id: idOf(outcome),
          end_user: { id: "u-1" },
          tags: { project: "alpha", end_user_id: "u-1" },
        },
      ]);
      const path = `/connections/${idOf(outcome)}?provider_config_key=toggl`;
      expect((await done(at.app.get(path)))["credentials"]).toEqual({ type: "BASIC", ...basic });
    });

    test("auth, with one half left empty that the provider fills in by itself", async () => {
      const at = await open();

      const credentials = { username: basic.username, password: "" };
      expect(await at.call("auth", "toggl", { credentials })).toEqual(linked("toggl"));
    });

    test("auth, with an API key and a parameter", async () => {
      const at = await open();
      const outcome = await at.call("auth", "gitlab-token", {
        credentials: { apiKey, type: "API_KEY" },
        params: { hostname: "gitlab.example.com" },
      });

      expect(outcome).toEqual(linked("gitlab-token"));
      const path = `/connections/${idOf(outcome)}?provider_config_key=gitlab-token`;
      expect(await done(at.app.get(path))).toMatchObject({
        credentials: { type: "API_KEY", apiKey },
        connection_config: { hostname: "gitlab.example.com" },
      });
    });

    test("create, without credentials, and with a parameter that has all kinds of signs", async () => {
      const at = await open();
      const town = "São Paulo & [Ödland] = 1+1 #?/\\";
      const outcome = await at.call("create", integrations.NONE, { params: { town } });

      expect(outcome).toEqual(linked(integrations.NONE));
      const path = `/connections/${idOf(outcome)}?provider_config_key=${integrations.NONE}`;
      expect(await done(at.app.get(path))).toMatchObject({
        credentials: {},
        connection_config: { town },
      });
    });

    test("reconnect, to the same connection, which keeps what the app said of it", async () => {
      const at = await open({ tags: { project: "alpha" } });
      const first = idOf(await at.call("auth", "toggl", { credentials: basic }));
      await done(
        at.app.post("/connections/metadata", {
          connection_id: first,
          provider_config_key: "toggl",
          metadata: { a: 1 },
        }),
      );

      expect(idOf(await again(at, first, "toggl", { credentials: basic }))).toBe(first);
      expect(await connectionsOf(at.app)).toMatchObject([
        { connection_id: first, metadata: { a: 1 }, tags: { project: "alpha" } },
      ]);
    });
  });

  describe("is told why not", () => {
    const wrong = { username: "0123456789abcdef0123456789abcdef", password: "api_token" };

    test("wrong credentials, by the code that the SDK knows; and then the right ones are taken", async () => {
      const at = await open();

      expect(await at.call("auth", "toggl", { credentials: wrong })).toEqual(told("connection_test_failed"));
      expect(await connectionsOf(at.app)).toEqual([]);
      expect(await at.call("auth", "toggl", { credentials: basic })).toEqual(linked("toggl"));
    });

    test("wrong credentials for an account that was linked, which stays as it is", async () => {
      const at = await open();
      const first = idOf(await at.call("auth", "toggl", { credentials: basic }));

      expect(await again(at, first, "toggl", { credentials: wrong })).toEqual(told("connection_test_failed"));
      const path = `/connections/${first}?provider_config_key=toggl`;
      expect((await done(at.app.get(path)))["credentials"]).toEqual({ type: "BASIC", ...basic });
    });

    test("a provider that is down, and that is not the person's fault", async () => {
      const at = await open();
      const change = { integration_config: { base_url: `${all().upstream.origin}/down` } };
      await done(at.app.patch("/integrations/toggl", change));
      all().upstream.answers("/down/api/v9/me", { status: 500, body: "<h1>Oh no</h1>" });

      expect(await at.call("auth", "toggl", { credentials: basic })).toEqual(told("provider_unavailable"));
      expect(await connectionsOf(at.app)).toEqual([]);
    });

    test.for([
      ["one half missing", ["toggl", { credentials: { username: "u" } }], "invalid_body"],
      ["an id of its own", ["toggl", "my-id", { credentials: basic }], "invalid_query_params"],
      ["an unknown integration", ["nope", { credentials: basic }], "unknown_provider_config"],
      ["other credentials", ["toggl", { credentials: { apiKey } }], "invalid_auth_mode"],
      ["an unknown parameter", ["toggl", { credentials: basic, params: { a: "b" } }], "invalid_body"],
    ] as const)("%s", async ([, args, code]) => {
      const at = await open();

      expect(await at.call("auth", ...args)).toEqual(told(code));
      expect(await connectionsOf(at.app)).toEqual([]);
    });

    test("an integration that the session is not for", async () => {
      const at = await open({ tags: {}, allowed_integrations: ["toggl"] });

      expect(await at.call("auth", "gitlab-token", { credentials: { apiKey } })).toEqual(
        told("integration_not_allowed"),
      );
    });

    test.for([
      [{ connectSessionToken: "nope" }, "invalid_connect_session_token_format"],
      [{ connectSessionToken: `nango_connect_session_${"0".repeat(64)}` }, "unknown_connect_session_token"],
      [{ publicKey: "11111111-1111-4111-8111-111111111111" }, "deprecated_authentication"],
    ] as const)("no session: %j", async ([made, code]) => {
      const args = ["toggl", { credentials: basic }];

      expect(await frontEnd({ made, method: "auth", args })).toEqual(told(code));
    });

    test("a session that has linked an account, or that was ended", async () => {
      const at = await open();
      await at.call("auth", "toggl", { credentials: basic });
      expect(await at.call("auth", "toggl", { credentials: basic })).toEqual(
        told("connect_session_finished"),
      );

      const connectSessionToken = await connectSession(at.app);
      const headers = { authorization: `Bearer ${connectSessionToken}` };
      expect((await all().house.send("DELETE", "/connect/session", { headers })).status).toBe(204);
      const args = ["toggl", { credentials: basic }];
      expect(await frontEnd({ made: { connectSessionToken }, method: "auth", args })).toEqual(
        told("unknown_connect_session_token"),
      );
      expect(await connectionsOf(at.app)).toHaveLength(1);
    });

    test.for([
      { type: "TWO_STEP", username: "u", password: "p" },
      { type: "SIGNATURE", username: "u", password: "p" },
      { type: "AWS_SIGV4", role_arn: "arn:aws:iam::1:role/r" },
      { type: "JWT", privateKey: "k" },
      { username: "u", password: "p", organization_id: "o", dev_key: "k" },
      { token_id: "i", token_secret: "s" },
      { client_id: "i", client_secret: "s" },
    ])("a way to sign in that is not here: %j", async (credentials) => {
      const at = await open();

      expect(await at.call("auth", "toggl", { credentials })).toEqual(told("not_supported"));
      expect(await connectionsOf(at.app)).toEqual([]);
    });
  });
};
