import { z } from "zod";
import type { Incoming } from "../kernel/http/incoming.ts";
import { Refusal, type RefusalKind } from "../kernel/errors.ts";
import type { StreamedAnswer } from "../kernel/http/route.ts";
import { connectionsAnswer } from "./wire/answers.ts";
import type { Connection } from "./model/connection.ts";
import type { NewConnectSession } from "./sessions/create-session.ts";
import type { ConnectDeps } from "./deps.ts";
import type { Environment, KeyHolder } from "./model/environment.ts";
import { shownInList } from "./connections/shown-connection.ts";
import { listConnections } from "./store/list-connections.ts";
import { environmentByName } from "./store/environments.ts";
import { integrationByKey } from "./store/integrations.ts";
import type { ConnectUseCases } from "./use-cases.ts";
import { refusals } from "./model/refusals.ts";
import { proxyRefuses } from "./proxy/call-provider.ts";

/**
 * What a page of this server's own may do with the connection of the person who is signed in there: all that an app
 * would do with a key, but for one person and one integration.
 */

/** Where such connections are. */
export type Spot = { readonly environment: string; readonly integration: string; readonly provider: string };

/** Who the end user is. Nobody reaches the connections of another id. */
export type Person = {
  readonly id: string;
  readonly name: string;
  /** From where they call. */
  readonly address: string;
  readonly via: "session" | "password" | "token";
};

const listed = connectionsAnswer.shape.connections.element;

export const personalConnectionAnswer = z.object({
  /** False when the operator has taken the integration away. */
  available: z.boolean(),
  connection: listed
    .pick({ connection_id: true, provider_config_key: true, account: true, state: true, state_reason: true })
    .nullable(),
});

type Shown = z.output<typeof personalConnectionAnswer>;

export type PersonalConnections = {
  readonly openFormRefuses: readonly RefusalKind[];
  readonly callRefuses: readonly RefusalKind[];
  readonly show: (person: Person) => Promise<Shown>;
  /** To link an account, or the same connection anew. @throws Refusal unknown_provider_config */
  readonly openForm: (person: Person) => Promise<NewConnectSession>;
  /** Nothing happens where nothing is linked. */
  readonly unlink: (person: Person) => Promise<void>;
  /** @param path with `/proxy` before it. @throws Refusal as the proxy, and unknown_connection */
  readonly call: (person: Person, path: string, incoming: Incoming) => Promise<StreamedAnswer>;
};

type Deps = Pick<ConnectDeps, "store" | "catalogue">;

/** Not that of any key: it may call, and read no credentials. */
const holderOf = (environment: Environment): KeyHolder => ({
  environment,
  keyId: 0,
  keyName: "this server's own page",
  scopes: new Set(["environment:proxy"]),
});

const pickShown = (connection: Connection): NonNullable<Shown["connection"]> => {
  const { connection_id, provider_config_key, account, state, state_reason } = shownInList(connection);
  return { connection_id, provider_config_key, account, state, state_reason };
};

export const personalConnections = (
  { store, catalogue }: Deps,
  use: ConnectUseCases,
  spot: Spot,
): PersonalConnections => {
  const { integration: key } = spot;

  const openEnvironment = async (): Promise<Environment | undefined> => {
    const environment = await environmentByName(store.query, spot.environment);
    const integration = environment && (await integrationByKey(store.query, environment.id, key));
    const isThere = integration?.provider === spot.provider && catalogue.get(spot.provider) !== undefined;
    return isThere ? environment : undefined;
  };

  /** The newest one, should two forms have been open at once. */
  const connectionOf = async ({ id }: Environment, person: Person): Promise<Connection | undefined> => {
    const filter = { endUserId: person.id, integrationKeys: [key], limit: 1, page: 0 };
    return (await listConnections(store.query, id, filter))[0];
  };

  const find = async (person: Person) => {
    const environment = await openEnvironment();
    return { environment, connection: environment && (await connectionOf(environment, person)) };
  };

  return {
    openFormRefuses: [refusals.unknown_provider_config],
    callRefuses: [refusals.unknown_connection, ...proxyRefuses],
    show: async (person) => {
      const { environment, connection } = await find(person);
      return { available: environment !== undefined, connection: connection ? pickShown(connection) : null };
    },
    openForm: async (person) => {
      const { environment, connection } = await find(person);
      if (!environment) throw new Refusal(refusals.unknown_provider_config);
      const endUser = { id: person.id, display_name: person.name };
      if (!connection)
        return use.createConnectSession(environment, { end_user: endUser, allowed_integrations: [key] });
      return use.createReconnectSession(environment, {
        connection_id: connection.connectionId,
        integration_id: key,
        end_user: endUser,
      });
    },
    unlink: async (person) => {
      const { environment, connection } = await find(person);
      if (!environment || !connection) return;
      const named = { integrationKey: key, connectionId: connection.connectionId };
      await use.deleteConnection(environment, named, { channel: person.via, address: person.address });
    },
    call: async (person, path, incoming) => {
      const { environment, connection } = await find(person);
      if (!environment || !connection) throw new Refusal(refusals.unknown_connection);
      const asked = {
        integrationKey: key,
        connectionId: connection.connectionId,
        retries: 0,
        retryOn: new Set<number>(),
        baseUrlOverride: undefined,
        decompress: false,
        forwardHeaders: false,
      };
      return { send: await use.callProvider({ holder: holderOf(environment), asked, incoming, sent: path }) };
    },
  };
};
