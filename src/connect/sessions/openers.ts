import type { ConnectSession } from "../model/connect-session.ts";
import type { Environment } from "../model/environment.ts";
import { invalidBody } from "../wire/input.ts";

/** Which apps may open the form: hand in a session's token, and hear what becomes of it. */

type Wanted = {
  readonly allowed_origins?: readonly string[] | undefined;
  readonly redirect_url?: string | undefined;
};

/** A session narrows what its environment allows, and widens nothing. @throws Refusal input_invalid */
export const refuseOpeners = ({ connectOrigins }: Environment, wanted: Wanted): void => {
  const other = (wanted.allowed_origins ?? []).findIndex(
    (origin) => connectOrigins.length > 0 && !connectOrigins.includes(origin),
  );
  if (other !== -1) {
    throw invalidBody(["allowed_origins", String(other)], "must be one of the environment's connect_origins");
  }
  if (wanted.redirect_url === undefined) return;
  // Whoever steals a key must not get a page of ours that leads people to a place of theirs.
  if (!connectOrigins.includes(new URL(wanted.redirect_url).origin)) {
    throw invalidBody(["redirect_url"], "its origin must be one of the environment's connect_origins");
  }
};

/** Empty: any. Undefined: none is left, because the environment has changed its mind. */
const openersOf = ({ environment, terms }: ConnectSession): readonly string[] | undefined => {
  const { connectOrigins } = environment;
  if (terms.allowedOrigins.length === 0) return connectOrigins;
  if (connectOrigins.length === 0) return terms.allowedOrigins;
  const both = terms.allowedOrigins.filter((origin) => connectOrigins.includes(origin));
  return both.length === 0 ? undefined : both;
};

/** Pages of our own may open the form as well. */
export const mayOpen = (session: ConnectSession, opener: string, ours: URL): boolean => {
  if (opener === ours.origin) return true;
  const openers = openersOf(session);
  return openers !== undefined && (openers.length === 0 || openers.includes(opener));
};

/** Where to go back to; nowhere when the environment has since taken the origin off its list. */
export const redirectOf = ({ environment, terms }: ConnectSession): string | null =>
  terms.redirectUrl !== null && environment.connectOrigins.includes(new URL(terms.redirectUrl).origin)
    ? terms.redirectUrl
    : null;
