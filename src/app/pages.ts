import { z } from "zod";
import type { Principal } from "#accounts";
import type { Config } from "#kernel/config.ts";
import { Refusal } from "#kernel/errors.ts";
import type { Incoming } from "#kernel/http/incoming.ts";
import { noBody } from "#kernel/http/input.ts";
import type { ErrorPage } from "#kernel/http/reply.ts";
import { anyone, htmlType, route, type Answer, type Guard, type Route } from "#kernel/http/route.ts";
import { loadPageFiles } from "./page-files.ts";
import { createErrorPage, createPageHtml, type PageFacts } from "./page-html.ts";
import { readOutboxMails } from "./outbox-mails.ts";
import { outboxFolder } from "./open-store.ts";

type Page = {
  readonly path: string;
  /** The script of this name in web/pages. */
  readonly name: string;
  readonly summary: string;
  /** `account`: whoever is not signed in is sent to sign in first. `local`: there in local mode only. */
  readonly shownTo: "anyone" | "account" | "local";
};

/** Every page there is. */
export const pages: readonly Page[] = [
  { path: "/", name: "home", summary: "What this is", shownTo: "anyone" },
  { path: "/signup", name: "sign-up", summary: "Sign up", shownTo: "anyone" },
  { path: "/login", name: "log-in", summary: "Sign in", shownTo: "anyone" },
  { path: "/forgot", name: "forgot", summary: "Ask for a password reset code", shownTo: "anyone" },
  { path: "/reset", name: "reset", summary: "Set a new password with the code", shownTo: "anyone" },
  { path: "/verify", name: "verify", summary: "Confirm an e-mail address", shownTo: "anyone" },
  { path: "/undo-close", name: "undo-close", summary: "Take a closed account back", shownTo: "anyone" },
  { path: "/account", name: "profile", summary: "Name, e-mail, password, time zone", shownTo: "account" },
  { path: "/account/tokens", name: "tokens", summary: "The API token", shownTo: "account" },
  {
    path: "/account/sessions",
    name: "sessions",
    summary: "Where the account is signed in, and what happened lately",
    shownTo: "account",
  },
  { path: "/account/close", name: "close", summary: "Close the account", shownTo: "account" },
  { path: "/dev/mail", name: "mail", summary: "The mails of this server", shownTo: "local" },
];

const immutable = "public, max-age=31536000, immutable";

type PageDeps = {
  readonly config: Config;
  readonly caller: Guard<Principal>;
};

const notSignedIn: ReadonlySet<string> = new Set([
  "credentials_missing",
  "credentials_wrong",
  "session_not_current",
  "email_unverified",
]);

const shownMail = z.object({
  id: z.string(),
  to: z.string(),
  subject: z.string(),
  at: z.string(),
  text: z.string(),
});

/**
 * The pages, the files that they load, in local mode the mails, and the page that tells of a refusal.
 * @throws SetupFault when the pages are not built
 */
export const createPages = ({
  config,
  caller,
}: PageDeps): { readonly routes: readonly Route[]; readonly errorPage: ErrorPage } => {
  const files = loadPageFiles();

  const signedIn = async (incoming: Incoming): Promise<PageFacts["signedIn"]> => {
    try {
      const { account } = await caller.admit(incoming);
      return { email: account.email, name: account.displayName };
    } catch (error) {
      if (error instanceof Refusal && notSignedIn.has(error.code)) return null;
      throw error;
    }
  };

  /** With a mail server there is no outbox, and nothing to show. */
  const showsMails = (incoming: Incoming): boolean => incoming.isLocal && config.smtpUrl === undefined;

  const open = { method: "GET", guard: anyone, input: noBody } as const;

  const pageRow = ({ path, name, summary, shownTo }: Page): Route => {
    const html = createPageHtml(files.page(name), files.look);
    return route({
      ...open,
      path,
      summary,
      wire: "pages",
      answers: { means: "The page." },
      run: async ({ incoming }): Promise<Answer> => {
        if (shownTo === "local" && !showsMails(incoming)) throw new Refusal("not_found");
        incoming.refuseOtherHosts();
        const who = await signedIn(incoming);
        if (shownTo === "account" && who === null) {
          return { status: 303, headers: { location: `/login?next=${path}` } };
        }
        const facts: PageFacts = {
          signedIn: who,
          origin: config.origin.origin,
          passwordMin: config.passwordMin,
          closeGraceDays: config.closeGraceDays,
          revealToken: config.revealToken,
          verifiesFirst: config.hideAccounts || config.requireVerifiedEmail,
          local: showsMails(incoming),
        };
        return { content: { type: htmlType, body: html(facts) } };
      },
    });
  };

  const routes = [
    ...pages.map(pageRow),
    route({
      ...open,
      path: "/assets/{file}",
      summary: "A script, style sheet or picture of the pages",
      wire: "pages",
      answers: { means: "The file." },
      run: ({ incoming }) => {
        const name = incoming.param("file");
        const asset = files.asset(name);
        if (!asset) throw new Refusal("not_found");
        const { type, plain } = asset;
        const coding = asset.br && incoming.accepts("br") ? "br" : "gzip";
        const coded = coding === "gzip" && !incoming.accepts("gzip") ? undefined : asset[coding];
        return {
          content: { type, body: coded ?? plain },
          headers: {
            "cache-control": immutable,
            vary: "accept-encoding",
            ...(coded ? { "content-encoding": coding } : {}),
          },
        };
      },
    }),
    route({
      ...open,
      path: "/dev/mails",
      summary: "The newest mails in the outbox, in local mode only",
      wire: "plain",
      answers: {
        means: "At most 50 mails, the newest first.",
        schema: z.object({ mails: z.array(shownMail) }),
      },
      run: async ({ incoming }) => {
        if (!showsMails(incoming)) throw new Refusal("not_found");
        return { json: { mails: await readOutboxMails(outboxFolder(config)) } };
      },
    }),
  ];
  return { routes, errorPage: createErrorPage(files.look, config.origin.origin) };
};
