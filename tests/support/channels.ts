// Every way in, so that a test about a credential asks all of them and not only the one it thought of.

import type { Client, Reply, Sent } from "./http.ts";

/** What one person has to show. */
export type Keys = {
  readonly email: string;
  readonly password: string;
  readonly token: string;
  readonly session: string;
};

export type Channel = {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly show: (keys: Keys) => Sent;
};

const byPassword = ({ email, password }: Keys): Sent => ({ basic: [email, password] });
const byToken = ({ token }: Keys): Sent => ({ basic: [token, "api_token"] });
const bySession = ({ session }: Keys): Sent => ({ session });

const channel = (method: string, path: string, by: string, show: Channel["show"]): Channel => ({
  name: `${method} ${path} by ${by}`,
  method,
  path,
  show,
});

/** Where the address and the password let somebody in. */
export const passwordChannels: readonly Channel[] = [
  channel("POST", "/api/sessions", "JSON", ({ email, password }) => ({ json: { email, password } })),
  channel("POST", "/api/sessions", "Basic", byPassword),
  channel("GET", "/api/sessions", "password", byPassword),
  channel("GET", "/api/v9/me", "password", byPassword),
  channel("GET", "/api/v9/me/logged", "password", byPassword),
];

export const tokenChannels: readonly Channel[] = [
  channel("GET", "/api/sessions", "token", byToken),
  channel("GET", "/api/v9/me", "token", byToken),
  channel("GET", "/api/v9/workspaces", "token", byToken),
];

export const sessionChannels: readonly Channel[] = [
  channel("GET", "/api/sessions", "cookie", bySession),
  channel("GET", "/api/v9/me", "cookie", bySession),
  channel("GET", "/api/v9/me/organizations", "cookie", bySession),
];

export const allChannels: readonly Channel[] = [...passwordChannels, ...tokenChannels, ...sessionChannels];

const through = (client: Client, { method, path, show }: Channel, keys: Keys): Promise<Reply> =>
  client.send(method, path, show(keys));

/** The status of each channel by its name. One after the other: equal calls that come at once are one try. */
export const statuses = async (
  client: Client,
  channels: readonly Channel[],
  keys: Keys,
): Promise<Readonly<Record<string, number>>> => {
  const found: Record<string, number> = {};
  for (const one of channels) found[one.name] = (await through(client, one, keys)).status;
  return found;
};

/** What `statuses` gives when all of the channels answer alike. */
export const all = (channels: readonly Channel[], status: number): Readonly<Record<string, number>> =>
  Object.fromEntries(channels.map(({ name }) => [name, status]));
