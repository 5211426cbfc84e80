import { z } from "zod";
import type { Principal } from "#accounts";
import type { PersonalConnections } from "#connect";
import type { Config } from "#kernel/config.ts";
import { Refusal, refusals } from "#kernel/errors.ts";
import type { Incoming } from "#kernel/http/incoming.ts";
import { noBody } from "#kernel/http/input.ts";
import { anyone, route, type Answer, type Guard, type Limit, type Route } from "#kernel/http/route.ts";
import { htmlType } from "#kernel/http/content-types.ts";
import { connectDemo } from "./connect-demo.ts";
import { connectPage } from "./connect-page.ts";
import { assetAnswer, loadPageFiles, type Look } from "./page-files.ts";
import { createErrorPage, createPageHtml, type PageFacts } from "./page-html.ts";
import { readOutboxMails } from "./outbox-mails.ts";
import { isOfOurUser } from "./peer-user.ts";
import { places, signInFirst } from "./places.ts";
import { outboxFolder } from "../open-store.ts";
import { pageWire } from "./page-wire.ts";
import { plainWire, type Wire } from "#kernel/http/wire.ts";

// Their policies and rules are their own: connect-page.ts and connect-demo.ts.
const { connect: _, demo: __, ...usual } = places;

/** The pages that one policy and one set of facts do for. */
export const pages = Object.entries(usual).map(([name, place]) => ({ name, ...place }));

type PageDeps = {
  readonly config: Config;
  readonly caller: Guard<Principal>;
  /** Origins of apps that may frame the form; empty: any. */
  readonly connectOrigins: () => Promise<readonly string[]>;
  readonly limit: Limit<Principal>;
  readonly demoConnections: PersonalConnections;
  /** Whose calls may read the mails: the number of a user of this machine, who runs the server unless a test says another. */
  readonly mailReader?: number | undefined;
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
  limit,
  connectOrigins,
  demoConnections,
  mailReader,
}: PageDeps): { readonly routes: readonly Route[]; readonly wire: Wire; readonly look: Look } => {
  const files = loadPageFiles();
  const wire = pageWire(createErrorPage(files.look, config.origin.origin));

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
  const hasOutbox = config.smtpUrl === undefined;
  const showsMails = async (incoming: Incoming): Promise<boolean> =>
    incoming.isLocal && hasOutbox && isOfOurUser(incoming.stream.socket, mailReader);

  const factsFor = async (incoming: Incoming): Promise<PageFacts> => {
    const { isLocal } = incoming;
    return {
      signedIn: await signedIn(incoming),
      origin: config.origin.origin,
      passwordMin: config.passwordMin,
      closeGraceDays: config.closeGraceDays,
      revealToken: config.revealToken,
      verifiesFirst: config.hideAccounts || config.requireVerifiedEmail,
      local: await showsMails(incoming),
      demo: isLocal,
    };
  };

  const open = { method: "GET", guard: anyone, input: noBody } as const;

  const pageRefuses = [refusals.host_unknown, ...caller.refuses.filter(({ code }) => !notSignedIn.has(code))];

  const pageRow = ({ path, name, summary, shownTo }: (typeof pages)[number]): Route => {
    const html = createPageHtml(files.page(name), files.look);
    return route({
      ...open,
      path,
      summary,
      wire,
      refuses: shownTo === "local" ? [...pageRefuses, refusals.not_found] : pageRefuses,
      answers: { means: "The page." },
      run: async ({ incoming }): Promise<Answer> => {
        if (shownTo === "local" && !(await showsMails(incoming))) throw new Refusal(refusals.not_found);
        incoming.refuseOtherHosts();
        const facts = await factsFor(incoming);
        if (shownTo === "account" && facts.signedIn === null) {
          return { status: 303, headers: { location: signInFirst(path) } };
        }
        return { content: { type: htmlType, body: html(facts) } };
      },
    });
  };

  const routes = [
    ...pages.map(pageRow),
    ...connectPage({ files, wire, connectOrigins }),
    ...connectDemo({ files, wire, caller, limit, connections: demoConnections, factsFor }),
    route({
      ...open,
      path: "/assets/{file}",
      summary: "A script, style sheet or picture of the pages",
      wire,
      refuses: [refusals.not_found],
      answers: { means: "The file." },
      run: ({ params, incoming }) => assetAnswer(files, params.file, incoming),
    }),
    route({
      ...open,
      path: "/dev/mails",
      summary: "The newest mails in the outbox, in local mode only",
      wire: plainWire,
      refuses: [refusals.not_found],
      answers: {
        means: "At most 50 mails, the newest first.",
        schema: z.object({ mails: z.array(shownMail) }),
      },
      run: async ({ incoming }) => {
        if (!(await showsMails(incoming))) throw new Refusal(refusals.not_found);
        return { json: { mails: await readOutboxMails(outboxFolder(config)) } };
      },
    }),
  ];
  return { routes, wire, look: files.look };
};
