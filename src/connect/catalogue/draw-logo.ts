import { Refusal } from "../../kernel/errors.ts";
import { markOf } from "../wire/mark.ts";
import type { Catalogue } from "./catalogue.ts";
import { refusals } from "../model/refusals.ts";

/** A provider's mark, as SVG. @throws Refusal not_found */
export const drawLogo =
  (catalogue: Catalogue) =>
  (name: string): string => {
    const provider = catalogue.get(name);
    if (!provider) throw new Refusal(refusals.not_found);
    const { initials, colour } = markOf(provider.display_name);
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14" fill="${colour}"/><text x="32" y="33" fill="#fff" font-family="system-ui,sans-serif" font-size="26" font-weight="600" text-anchor="middle" dominant-baseline="central">${initials}</text></svg>`;
  };
