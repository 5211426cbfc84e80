import { z } from "zod";
import { Refusal } from "../../kernel/errors.ts";
import { noBody } from "../../kernel/http/input.ts";
import { route, type Route } from "../../kernel/http/route.ts";
import type { ConnectDeps } from "../deps.ts";
import { formAnswer, readForm } from "./form.ts";
import { parseQuery } from "../wire/input.ts";
import { mayOpen } from "../sessions/openers.ts";
import { sessionInHeader } from "../sessions/session-tokens.ts";

const query = z.strictObject({ opener: z.string().max(2048).optional() });

/** The form's own call. Integrations and providers can also be read one by one, as the original's form does. */
export const formRoutes = (
  deps: Pick<ConnectDeps, "store" | "clock" | "catalogue" | "policy">,
): readonly Route[] => {
  const read = readForm(deps);
  return [
    route({
      method: "GET",
      path: "/connect/form",
      summary: "Everything that the form needs to stand there",
      wire: "connect",
      guard: sessionInHeader(deps),
      input: noBody,
      answers: {
        means:
          "The session and what can be linked with it. `opener` is the origin of the page that frames the form.",
        schema: formAnswer,
      },
      run: async ({ principal, incoming }) => {
        const { opener } = parseQuery(query, incoming);
        if (opener !== undefined && !mayOpen(principal, opener, deps.policy.origin)) {
          throw new Refusal("origin_not_allowed");
        }
        return { json: { data: await read(principal) } };
      },
    }),
  ];
};
