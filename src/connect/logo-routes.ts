import { createHash } from "node:crypto";
import { Refusal } from "../kernel/errors.ts";
import { noBody } from "../kernel/http/input.ts";
import { anyone, route, type Route } from "../kernel/http/route.ts";
import type { ConnectDeps } from "./deps.ts";

/** Marks of providers. Their logos are their own; ours are the initials on a colour that is always the same for a name. */

/** Dark enough for white letters (4.5:1). */
const colours = ["#2f5bea", "#0b7285", "#2b7a3d", "#8a5300", "#a61e4d", "#6741d9", "#9c36b5", "#495057"];

const initialsOf = (name: string): string => {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "");
  const letters = words.length > 1 ? words.slice(0, 2).map((word) => word.slice(0, 1)) : [name.slice(0, 2)];
  return letters.join("").toUpperCase();
};

const markOf = (name: string): string => {
  const [byte = 0] = createHash("sha256").update(name).digest();
  const colour = colours[byte % colours.length];
  const text = initialsOf(name).replaceAll(/[^\p{L}\p{N}]/gu, "");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14" fill="${colour}"/><text x="32" y="33" fill="#fff" font-family="system-ui,sans-serif" font-size="26" font-weight="600" text-anchor="middle" dominant-baseline="central">${text}</text></svg>`;
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
        content: { type: "image/svg+xml", body: markOf(provider.display_name) },
        headers: {
          "cache-control": "public, max-age=86400",
          "content-security-policy": "default-src 'none'; sandbox",
          "cross-origin-resource-policy": "cross-origin",
        },
      };
    },
  }),
];
