import { breaches } from "./breaches.ts";
import { providerFile, type Provider } from "../model/provider.ts";
import { schemaFaults, type PathFault } from "./schema-faults.ts";
import { readYaml, type SpottedFault } from "./yaml-document.ts";

/** Something that is wrong in a provider's file, and where. */
export type ProviderFault = SpottedFault & { readonly file: string };

export type ReadProvider =
  | { readonly provider: Provider; readonly faults: readonly [] }
  | { readonly provider: undefined; readonly faults: readonly ProviderFault[] };

/** `providers/toggl.yaml:12:5: shapes.0.tilte is not known. Did you mean "title"?` */
export const faultLine = ({ file, line, column, message }: ProviderFault): string =>
  `${file}:${line}:${column}: ${message}`;

const nameRule = /^[a-z][a-z0-9-]{0,62}$/;

/** What a provider is called: its file's name, which stands in addresses. */
const nameOf = (file: string): string => (file.split(/[/\\]/).at(-1) ?? "").replace(/\.yaml$/, "");

const longestFile = 256 * 1024;

/** Reads what is in a provider's file. Never throws. */
export const readProvider = (file: string, text: string): ReadProvider => {
  const refuse = (faults: readonly SpottedFault[]): ReadProvider => ({
    provider: undefined,
    faults: faults
      .toSorted((a, b) => a.line - b.line || a.column - b.column)
      .map((fault) => ({ file, ...fault })),
  });
  const start = { line: 1, column: 1 };
  const name = nameOf(file);
  if (!file.endsWith(".yaml") || !nameRule.test(name)) {
    const message =
      "The file's name is the provider's: lower-case letters, digits and hyphens, a letter first, and .yaml behind it.";
    return refuse([{ ...start, message }]);
  }
  if (text.length > longestFile) {
    return refuse([{ ...start, message: `The file has more than ${longestFile} characters.` }]);
  }
  const document = readYaml(text);
  if (!("value" in document)) return refuse(document);
  const spotted = ({ path, part, message }: PathFault): SpottedFault => ({
    ...document.spotOf(path, part),
    message: path.length === 0 ? `The file ${message}` : `${path.map(String).join(".")} ${message}`,
  });
  const parsed = providerFile.safeParse(document.value, { reportInput: true });
  if (!parsed.success) return refuse(schemaFaults(parsed.error).map(spotted));
  const provider = { ...parsed.data, name };
  const broken = breaches(provider);
  return broken.length > 0 ? refuse(broken.map(spotted)) : { provider, faults: [] };
};
