import { isScope, scopes } from "#connect";
import { Fault, type Call, type Ending } from "../command.ts";
import { withHouse } from "../house.ts";
import type { Io } from "../io.ts";

const listOf = (text: string | undefined): readonly string[] =>
  (text ?? "")
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");

export const create = ({ operand: name, values }: Call, io: Io): Promise<Ending> =>
  withHouse(io, async ({ connect }) => {
    const connectOrigins = listOf(values.get("origins"));
    const environment = await connect.use.createEnvironment({ name, connectOrigins });
    return {
      output: environment.name,
      json: { name: environment.name, connect_origins: environment.connectOrigins },
      notes: [`It has no API key yet: latchkey environment key ${environment.name}`],
    };
  });

/** What was not named stays as it is. */
export const change = ({ operand: environment, values }: Call, io: Io): Promise<Ending> => {
  const origins = values.get("origins");
  const given = {
    connect_origins: origins === undefined ? undefined : listOf(origins),
    // An empty name takes it away.
    app_name: values.get("app-name") === "" ? null : values.get("app-name"),
    theme: values.get("theme"),
    light_colour: values.get("light-colour"),
    dark_colour: values.get("dark-colour"),
  };
  const body = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return withHouse(io, async ({ connect }) => {
    const { name, connectOrigins, appearance } = await connect.use.changeEnvironment({ environment, body });
    return {
      output: name,
      json: { name, connect_origins: connectOrigins, ...appearance },
      notes: [
        connectOrigins.length === 0
          ? "Any website may open its form, as long as no environment names origins."
          : `Its form may be opened by ${connectOrigins.join(", ")}.`,
      ],
    };
  });
};

const revoke = (environment: string, name: string, io: Io): Promise<Ending> =>
  withHouse(io, async ({ connect }) => {
    const revoked = await connect.use.revokeEnvironmentKey({ environment, name });
    return {
      json: { environment, name, revoked },
      notes: [
        revoked
          ? `The key ${name} of ${environment} is revoked.`
          : `${environment} has no key named ${name}.`,
      ],
    };
  });

export const key = ({ operand: environment, values }: Call, io: Io): Promise<Ending> => {
  const revoked = values.get("revoke");
  if (revoked !== undefined) return revoke(environment, revoked, io);
  const wanted = listOf(values.get("scopes"));
  const unknown = wanted.find((scope) => !isScope(scope));
  if (unknown !== undefined) {
    throw new Fault(`${unknown} is no scope. There are: ${scopes.join(", ")}.`);
  }
  return withHouse(io, async ({ connect }) => {
    const { key: made, name } = await connect.use.createEnvironmentKey({
      environment,
      name: values.get("name"),
      scopes: wanted.length === 0 ? undefined : wanted.filter(isScope),
    });
    return {
      output: made.reveal(),
      json: { environment, name, key: made.reveal() },
      notes: [`An API key for ${environment}, by the name of “${name}”. It is not shown again.`],
    };
  });
};
