type Place = {
  readonly path: string;
  readonly summary: string;
  /** `account`: whoever is not signed in is sent to sign in first. `local`: there in local mode only. */
  readonly shownTo: "anyone" | "account" | "local";
};

/**
 * Every page with a script, by that script's name in web/pages. A path is written here and nowhere else: the server
 * hands it on, and `npm run generate` tells the pages.
 */
export const places = {
  home: { path: "/", summary: "What this is", shownTo: "anyone" },
  "sign-up": { path: "/signup", summary: "Sign up", shownTo: "anyone" },
  "log-in": { path: "/login", summary: "Sign in", shownTo: "anyone" },
  forgot: { path: "/forgot", summary: "Ask for a password reset code", shownTo: "anyone" },
  reset: { path: "/reset", summary: "Set a new password with the code", shownTo: "anyone" },
  verify: { path: "/verify", summary: "Confirm an e-mail address", shownTo: "anyone" },
  "undo-close": { path: "/undo-close", summary: "Take a closed account back", shownTo: "anyone" },
  profile: { path: "/account", summary: "Name, e-mail, password, time zone", shownTo: "account" },
  tokens: { path: "/account/tokens", summary: "The API token", shownTo: "account" },
  sessions: {
    path: "/account/sessions",
    summary: "Where the account is signed in, and what happened lately",
    shownTo: "account",
  },
  close: { path: "/account/close", summary: "Close the account", shownTo: "account" },
  mail: { path: "/dev/mail", summary: "The mails of this server", shownTo: "local" },
  connect: {
    path: "/connect/",
    summary: "The form with which somebody links an account",
    shownTo: "anyone",
  },
  demo: {
    path: "/connect/demo",
    summary: "Link the account that one has here, and see it used",
    shownTo: "account",
  },
} as const satisfies Readonly<Record<string, Place>>;

/** The sign-in, which leads on to `path`. */
export const signInFirst = (path: string): string => `${places["log-in"].path}?next=${path}`;

/** What the rooms put into mails and links: whole addresses, which take a code or a token behind `#`. */
export const linksAt = ({ origin }: URL) => ({
  origin,
  verify: origin + places.verify.path,
  forgot: origin + places.forgot.path,
  reset: origin + places.reset.path,
  undoClose: origin + places["undo-close"].path,
  tokens: origin + places.tokens.path,
});

export const formAt = ({ origin }: URL): string => origin + places.connect.path;
