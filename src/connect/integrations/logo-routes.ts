import { Refusal } from "../../kernel/errors.ts";
import { noBody } from "../../kernel/http/input.ts";
import { anyone, route, type Route } from "../../kernel/http/route.ts";
import type { ConnectDeps } from "../deps.ts";
import { markOf } from "../wire/mark.ts";

const svgOf = (name: string): string => {
  const { initials, colour } = markOf(name);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14" fill="${colour}"/><text x="32" y="33" fill="#fff" font-family="system-ui,sans-serif" font-size="26" font-weight="600" text-anchor="middle" dominant-baseline="central">${initials}</text></svg>`;
};

export const logoRoutes = ({ catalogue }: Pick<ConnectDeps, "catalogue">): readonly Route[] => [
  route({
    method: "GET",
    path: "/images/template-logos/{file}",
    summary: "A provider's mark, as SVG",
    wire: "plain",
    guard: anyone,
    input: noBody,
    answers: { means: "The picture." },
    run: ({ incoming }) => {
      const provider = catalogue.get(incoming.param("file").replace(/\.svg$/, ""));
      if (!provider) throw new Refusal("not_found");
      return {
        content: { type: "image/svg+xml", body: svgOf(provider.display_name) },
        headers: {
          "cache-control": "public, max-age=86400",
          "content-security-policy": "default-src 'none'; sandbox",
          "cross-origin-resource-policy": "cross-origin",
        },
      };
    },
  }),
];
