import { z } from "zod";
import { noBody } from "../../kernel/http/input.ts";
import { anyone, route, type Route } from "../../kernel/http/route.ts";
import type { ConnectUseCases } from "../use-cases.ts";
import type { Gates } from "../wire/gates.ts";
import { connectQuery } from "../wire/input.ts";
import { providerAnswer } from "./shown-provider.ts";
import { connectWire } from "../wire/wire.ts";
import { plainWire } from "../../kernel/http/wire.ts";
import { refusals } from "../model/refusals.ts";

const listQuery = z.strictObject({
  search: z.string().max(255).describe("Part of a provider's name").optional(),
});

/** The catalogue: what can be linked (contract nango §1.7). Any key may read it: there is nothing of anybody in it. */
export const catalogueRoutes = (use: ConnectUseCases, { keyOrSession }: Gates): readonly Route[] => [
  route({
    method: "GET",
    path: "/providers",
    summary: "List the providers that can be linked",
    wire: connectWire,
    guard: keyOrSession(),
    input: noBody,
    query: connectQuery(listQuery),
    answers: {
      means: "All of them, or those whose name has the searched text in it.",
      schema: z.object({ data: z.array(providerAnswer) }),
    },
    run: ({ query: { search = "" } }) => ({ json: { data: use.listProviders(search) } }),
  }),
  route({
    method: "GET",
    path: "/providers/{provider}",
    summary: "Read one provider: its fields, its ways to sign in, its guide",
    wire: connectWire,
    guard: keyOrSession(),
    input: noBody,
    refuses: [refusals.not_found],
    answers: { means: "The provider.", schema: z.object({ data: providerAnswer }) },
    run: ({ params }) => ({ json: { data: use.readProvider(params.provider) } }),
  }),
  route({
    method: "GET",
    path: "/images/template-logos/{file}",
    summary: "A provider's mark, as SVG",
    wire: plainWire,
    guard: anyone,
    input: noBody,
    refuses: [refusals.not_found],
    answers: { means: "The picture." },
    run: ({ params }) => ({
      content: {
        type: "image/svg+xml",
        body: use.drawLogo(params.file.replace(/\.svg$/, "")),
      },
      headers: {
        "cache-control": "public, max-age=86400",
        "content-security-policy": "default-src 'none'; sandbox",
        "cross-origin-resource-policy": "cross-origin",
      },
    }),
  }),
];
