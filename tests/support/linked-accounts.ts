// A house where an app's people link their accounts of the house itself: no provider elsewhere is needed.

import {
  auditLines,
  connectClient,
  done,
  environmentKey,
  linkAccount,
  type ConnectClient,
} from "./connect.ts";
import { roomy, startHouse, type TestHouse } from "./house.ts";
import { listOf } from "./shapes.ts";

type Terms = Readonly<Record<string, unknown>>;

type LinkedAccount = {
  readonly id: string;
  /** What the provider, this house, knows them by. */
  readonly token: string;
  readonly email: string;
  /** Where the connection is read, with the integration it is of. */
  readonly path: string;
};

export type Event = { readonly event: string; readonly at: number; readonly key: unknown };

export type Linking = {
  readonly house: TestHouse;
  /** Of `dev`, where there are the integrations `here` and `there`; its key may do everything. */
  readonly app: ConnectClient;
  /** Somebody new links their account. @param terms of the connect session */
  readonly linked: (terms?: Terms, integration?: string) => Promise<LinkedAccount>;
  /** The fields of a connection. */
  readonly read: (path: string, by?: ConnectClient) => Promise<Readonly<Record<string, unknown>>>;
  /** The ids of a list. @param query with its question mark */
  readonly list: (query: string) => Promise<readonly unknown[]>;
  /** What the audit tells of a connection. */
  readonly eventsOf: (connection: string) => Promise<readonly Event[]>;
};

export const startLinking = async (): Promise<Linking> => {
  const house = await startHouse({ ...roomy, LATCHKEY_RATE: "1000000", LATCHKEY_BURST: "1000000" });
  const app = connectClient(house, await environmentKey(house));
  for (const key of ["here", "there"]) {
    await done(app.post("/integrations", { provider: "latchkey", unique_key: key }));
  }
  return {
    house,
    app,
    linked: async (terms, integration = "here") => {
      const person = await house.person();
      const token = await house.tokenOf(person);
      const id = await linkAccount(house, app, {
        integration,
        username: token,
        password: "api_token",
        ...(terms === undefined ? {} : { terms }),
      });
      const path = `/connections/${id}?provider_config_key=${integration}`;
      return { id, token, email: person.email, path };
    },
    read: (path, by = app) => done(by.get(path)),
    list: async (query) =>
      listOf((await done(app.get(`/connections${query}`)))["connections"]).map(({ connection_id: id }) => id),
    eventsOf: async (connection) =>
      (await auditLines(house))
        .filter(({ details }) => details["connection"] === connection)
        .map(({ event, at, details }) => ({ event, at, key: details["key"] })),
  };
};

/** As times are written where something is read. */
export const withOffset = (at: number): string => new Date(at).toISOString().replace("Z", "+00:00");

/** All that a session can say of whom it is for. */
export const fullTerms = {
  end_user: {
    id: "user-1",
    email: "user@example.com",
    display_name: "User One",
    tags: { plan: "free" },
  },
  organization: { id: "org-1", display_name: "Org One" },
  tags: { project: "alpha" },
};

/** What a connection shows of it. */
export const fullEndUser = { ...fullTerms.end_user, organization: fullTerms.organization };

export const fullTags = {
  plan: "free",
  project: "alpha",
  end_user_id: "user-1",
  end_user_email: "user@example.com",
  end_user_display_name: "User One",
  organization_id: "org-1",
  organization_display_name: "Org One",
};
