import { z } from "zod";
import { Refusal } from "../../kernel/errors.ts";
import { noBody } from "../../kernel/http/input.ts";
import { route, type Route } from "../../kernel/http/route.ts";
import { providerAnswer, shownProvider } from "../catalogue/shown-provider.ts";
import type { ConnectDeps } from "../deps.ts";
import type { EnvironmentKeys } from "../environments/environment-keys.ts";
import { noQuery, parseQuery } from "../wire/input.ts";
import { keyOrSession } from "../sessions/session-tokens.ts";

const listQuery = z.strictObject({ search: z.string().max(255).optional() });

/** The catalogue: what can be linked (contract nango §1.7). Any key may read it: there is nothing of anybody in it. */
export const providerRoutes = (
  deps: Pick<ConnectDeps, "store" | "clock" | "catalogue" | "policy">,
  keys: EnvironmentKeys,
): readonly Route[] => {
  const { catalogue } = deps;
  const { origin } = deps.policy.origin;
  // The catalogue does not change while the server runs.
  const shown = catalogue.all().map((provider) => shownProvider(provider, origin));
  const byName = new Map(shown.map((provider) => [provider.name, provider]));
  const caller = keyOrSession(deps, keys);
  return [
    route({
      method: "GET",
      path: "/providers",
      summary: "List the providers that can be linked",
      wire: "connect",
      guard: caller,
      input: noBody,
      answers: {
        means: "All of them, or those whose name has the searched text in it.",
        schema: z.object({ data: z.array(providerAnswer) }),
      },
      run: ({ incoming }) => {
        const { search = "" } = parseQuery(listQuery, incoming);
        const wanted = search.toLowerCase();
        const found = shown.filter(
          ({ name, display_name: title }) => name.includes(wanted) || title.toLowerCase().includes(wanted),
        );
        return { json: { data: found } };
      },
    }),
    route({
      method: "GET",
      path: "/providers/{provider}",
      summary: "Read one provider: its fields, its ways to sign in, its guide",
      wire: "connect",
      guard: caller,
      input: noBody,
      answers: { means: "The provider.", schema: z.object({ data: providerAnswer }) },
      run: ({ incoming }) => {
        noQuery(incoming);
        const name = incoming.param("provider");
        const provider = byName.get(name);
        if (!provider) throw new Refusal("not_found", { text: `Unknown provider ${JSON.stringify(name)}` });
        return { json: { data: provider } };
      },
    }),
  ];
};
