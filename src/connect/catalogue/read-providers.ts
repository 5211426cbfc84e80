import { Refusal } from "../../kernel/errors.ts";
import type { Catalogue } from "./catalogue.ts";
import { shownProvider, type ShownProvider } from "./shown-provider.ts";
import { refusals } from "../model/refusals.ts";

/** What can be linked, as everybody may see it. */
export type ProviderReads = {
  /** All of them, or those whose name has the searched text in it. */
  readonly list: (search: string) => readonly ShownProvider[];
  /** @throws Refusal not_found */
  readonly read: (name: string) => ShownProvider;
};

/** @param publicOrigin where this server is found */
export const readProviders = (catalogue: Catalogue, publicOrigin: string): ProviderReads => {
  // The catalogue does not change while the server runs.
  const shown = catalogue.all().map((provider) => shownProvider(provider, publicOrigin));
  const byName = new Map(shown.map((provider) => [provider.name, provider]));
  return {
    list: (search) => {
      const wanted = search.toLowerCase();
      return shown.filter(
        ({ name, display_name: title }) => name.includes(wanted) || title.toLowerCase().includes(wanted),
      );
    },
    read: (name) => {
      const provider = byName.get(name);
      if (!provider)
        throw new Refusal(refusals.not_found, { text: `Unknown provider ${JSON.stringify(name)}` });
      return provider;
    },
  };
};
