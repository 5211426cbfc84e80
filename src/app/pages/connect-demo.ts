import { z } from "zod";
import type { Principal } from "#accounts";
import { personalConnectionAnswer, type PersonalConnections } from "#connect";
import { Refusal, refusals } from "#kernel/errors.ts";
import type { Incoming } from "#kernel/http/incoming.ts";
import { jsonBody, noBody } from "#kernel/http/input.ts";
import { anyone, route, type Answer, type Guard, type Limit, type Route } from "#kernel/http/route.ts";
import { htmlType } from "#kernel/http/content-types.ts";
import type { PageFiles } from "./page-files.ts";
import { createPageHtml, pagePolicy, type PageFacts } from "./page-html.ts";
import { plainWire, type Wire } from "#kernel/http/wire.ts";
import { places, signInFirst } from "./places.ts";

/**
 * Connect, to be tried: somebody links the account that they have here, and sees it used. The page does what an app's
 * page and its server do together; the server's part is here, so that no browser ever has a key. In local mode only.
 */

/** Made by a migration, and the operator's to take away. */
export const demoSpot = { environment: "dev", integration: "latchkey", provider: "latchkey" } as const;

type Deps = {
  readonly files: PageFiles;
  readonly wire: Wire;
  readonly caller: Guard<Principal>;
  readonly limit: Limit<Principal>;
  readonly connections: PersonalConnections;
  /** What a page begins with. */
  readonly factsFor: (incoming: Incoming) => Promise<PageFacts>;
};

const contentSecurityPolicy = [...pagePolicy, "frame-src 'self'", "frame-ancestors 'none'"].join("; ");

const refuseElsewhere = (incoming: Incoming): void => {
  if (!incoming.isLocal) throw new Refusal(refusals.not_found);
};

/** The end user's id is one that nobody but this account has, so nobody sees another's connection. */
const personOf = ({ account, via }: Principal, incoming: Incoming) => ({
  id: account.publicId,
  name: account.displayName,
  address: incoming.client.address,
  via,
});

export const connectDemo = ({
  files,
  wire,
  caller,
  limit,
  connections,
  factsFor,
}: Deps): readonly Route[] => {
  const html = createPageHtml(files.page("demo"), files.look);

  const inLocalMode: Guard<Principal> = {
    ...caller,
    refuses: [...caller.refuses, refusals.not_found],
    admit: (incoming) => {
      refuseElsewhere(incoming);
      return caller.admit(incoming);
    },
  };
  const own = { wire: plainWire, guard: inLocalMode, limit } as const;

  return [
    route({
      method: "GET",
      path: places.demo.path,
      summary: places.demo.summary,
      wire,
      guard: anyone,
      input: noBody,
      refuses: [refusals.not_found, refusals.host_unknown, ...caller.refuses],
      answers: { means: "The page." },
      run: async ({ incoming }): Promise<Answer> => {
        refuseElsewhere(incoming);
        const facts = await factsFor(incoming);
        if (!facts.signedIn) return { status: 303, headers: { location: signInFirst(places.demo.path) } };
        return {
          content: { type: htmlType, body: html(facts) },
          headers: { "content-security-policy": contentSecurityPolicy },
        };
      },
    }),
    route({
      ...own,
      method: "GET",
      path: `${places.demo.path}/connection`,
      summary: "The caller's own account, as it is linked in the demo",
      input: noBody,
      answers: { means: "The connection, when there is one.", schema: personalConnectionAnswer },
      run: async ({ principal, incoming }) => ({
        json: await connections.show(personOf(principal, incoming)),
      }),
    }),
    route({
      ...own,
      method: "DELETE",
      path: `${places.demo.path}/connection`,
      summary: "Unlink the caller's own account in the demo",
      input: noBody,
      answers: { means: "The connection is gone.", schema: z.object({ success: z.literal(true) }) },
      run: async ({ principal, incoming }) => {
        await connections.unlink(personOf(principal, incoming));
        return { json: { success: true } };
      },
    }),
    route({
      ...own,
      method: "POST",
      path: `${places.demo.path}/session`,
      summary: "A connect session for the demo: to link an account, or the same connection anew",
      input: jsonBody(z.strictObject({})),
      refuses: connections.openFormRefuses,
      answers: {
        means: "The session's token, for the form.",
        schema: z.object({ session_token: z.string(), expires_at: z.string() }),
      },
      run: async ({ principal, incoming }) => {
        const { token, expires_at } = await connections.openForm(personOf(principal, incoming));
        return { json: { session_token: token, expires_at } };
      },
    }),
    route({
      ...own,
      method: "GET",
      path: `${places.demo.path}/me`,
      summary: "`/api/v9/me` through the proxy, with the caller's own connection in the demo",
      input: noBody,
      refuses: connections.callRefuses,
      answers: {
        means: "Whatever the API answers, as the proxy gives it to an app.",
        schema: z.record(z.string(), z.unknown()),
      },
      run: ({ principal, incoming }) =>
        connections.call(personOf(principal, incoming), "/proxy/api/v9/me", incoming),
    }),
  ];
};
