import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { reasonOf, SetupFault } from "../../kernel/errors.ts";
import type { Provider } from "./model/provider.ts";
import { faultLine, readProvider, type ProviderFault, type ReadProvider } from "./reading/read-provider.ts";

/** Every provider that can be linked, by the name that integrations know it by. */
export type Catalogue = {
  readonly get: (name: string) => Provider | undefined;
  /** By name. */
  readonly all: () => readonly Provider[];
};

/** What each file said last, and what that came to. To check it costs hundreds of times as much as to read it. */
const known = new Map<string, { readonly text: string; readonly read: ReadProvider }>();

/** @throws SetupFault when the file can't be read */
const readFile = (file: string): ReadProvider => {
  try {
    const text = readFileSync(file, "utf8");
    const before = known.get(file);
    if (before?.text === text) return before.read;
    const read = readProvider(file, text);
    known.set(file, { text, read });
    return read;
  } catch (error) {
    throw new SetupFault(`The provider's file ${file} can't be read: ${reasonOf(error)}.`, error);
  }
};

/**
 * Everything that is wrong with one provider's file; nothing when a server would take it.
 *
 * @throws SetupFault when it can't be read
 */
export const checkProviderFile = (file: string): readonly ProviderFault[] => readFile(file).faults;

const filesIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder)
      .filter((name) => /\.ya?ml$/i.test(name) && !name.startsWith("."))
      .toSorted()
      .map((name) => join(folder, name));
  } catch (error) {
    throw new SetupFault(`The catalogue of providers (${folder}) can't be read: ${reasonOf(error)}.`, error);
  }
};

const mostShown = 20;

/** Reads a folder of providers' files as they are now. @throws SetupFault with every fault, and where it is */
export const loadCatalogue = (folder: string): Catalogue => {
  const read = filesIn(folder).map(readFile);
  const faults = read.flatMap((one) => one.faults);
  if (faults.length > 0) {
    const lines = faults.slice(0, mostShown).map(faultLine);
    const more = faults.length > mostShown ? [`… and ${faults.length - mostShown} more`] : [];
    throw new SetupFault(["The catalogue of providers has faults:", ...lines, ...more].join("\n"));
  }
  const providers = read.flatMap(({ provider }) => (provider === undefined ? [] : [provider]));
  const byName = new Map(providers.map((provider) => [provider.name, provider]));
  return { get: (name) => byName.get(name), all: () => providers };
};
