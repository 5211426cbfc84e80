import { nearestTo } from "../../../kernel/nearest.ts";
import { addressOf, choosesHost, configField } from "../model/host.ts";
import { isHostname } from "../../../kernel/text/host.ts";
import type { Field, Provider } from "../model/provider.ts";
import type { PathFault } from "./schema-faults.ts";
import { namesIn, templateOf, TemplateFault } from "../model/template.ts";

/** What the templates of a provider's file may not say: names that nobody fills in, hosts that a value could choose. */

type Path = readonly (string | number)[];

const credentialNames: Readonly<Record<Provider["auth_mode"], readonly string[]>> = {
  BASIC: ["username", "password"],
  API_KEY: ["apiKey"],
  NONE: [],
};

const knownNames = (provider: Provider): readonly string[] => [
  ...credentialNames[provider.auth_mode],
  ...Object.keys(provider.connection_config).map((name) => `connectionConfig.${name}`),
  ...Object.keys(provider.integration_config).map((name) => `integrationConfig.${name}`),
];

const optionalName = (provider: Provider, name: string): boolean => {
  const left = ({ optional, default: standard }: Field): boolean => optional && standard === undefined;
  const ofConfig = configField(provider, name);
  if (ofConfig !== undefined) return left(ofConfig);
  return provider.shapes.some(
    ({ fields }) => Object.hasOwn(fields, name) && fields[name] && left(fields[name]),
  );
};

const nameBreach = (provider: Provider, known: readonly string[], name: string): string | undefined => {
  if (!known.includes(name)) {
    const nearest = name.length > 128 ? undefined : nearestTo(name, known, Math.ceil(name.length / 3));
    const meant = nearest === undefined ? "" : ` Did you mean \${${nearest}}?`;
    return `takes \${${name}}, which nothing declares.${meant}`;
  }
  return optionalName(provider, name)
    ? `takes \${${name}}, which may be left empty: give it a default, or make it required.`
    : undefined;
};

/** The sentence of a fault, or of the names that a template takes. */
const templateBreaches = (provider: Provider, text: string): readonly string[] => {
  try {
    const known = knownNames(provider);
    return [...new Set(namesIn(templateOf(text)))].flatMap((name) => nameBreach(provider, known, name) ?? []);
  } catch (error) {
    if (error instanceof TemplateFault) return [`${error.message}.`];
    throw error;
  }
};

const hostFieldBreach = (field: Field, whole: boolean): string | undefined => {
  if (field.secret) return "is secret: everybody on the way sees the name of a host";
  if (whole) {
    return field.format === "hostname" || field.enum !== undefined
      ? undefined
      : "is the whole host, and needs format: hostname or an enum";
  }
  if (field.enum !== undefined) {
    const odd = field.enum.find((choice) => !isHostname(choice));
    return odd === undefined ? undefined : `has the choice ${odd}, which no host can have`;
  }
  return field.pattern === undefined ? "is part of the host, and needs a pattern or an enum" : undefined;
};

const hostBreaches = (provider: Provider, baseUrl: string): readonly string[] => {
  try {
    const address = addressOf(baseUrl);
    if (address.kind === "in process") return [];
    const whole = choosesHost(address);
    return namesIn(address.host).flatMap((name) => {
      const field = configField(provider, name);
      // A name that nothing declares is told already.
      if (field === undefined) {
        return credentialNames[provider.auth_mode].includes(name)
          ? [`takes \${${name}} for its host: everybody on the way sees the name of a host.`]
          : [];
      }
      const breach = hostFieldBreach(field, name === whole);
      return breach === undefined ? [] : [`takes \${${name}} for its host, which ${breach}.`];
    });
  } catch (error) {
    if (error instanceof TemplateFault) return [`${error.message}.`];
    throw error;
  }
};

const at =
  (path: Path) =>
  (message: string): PathFault => ({ path, part: "value", message });

export const addressBreaches = (provider: Provider): readonly PathFault[] => {
  const { base_url: baseUrl, verification } = provider;
  const addresses: readonly (readonly [path: Path, text: string | undefined])[] = [
    [["base_url"], baseUrl],
    [["verification", "base_url"], verification?.base_url],
  ];
  return addresses.flatMap(([path, text]) =>
    text === undefined
      ? []
      : [...new Set([...templateBreaches(provider, text), ...hostBreaches(provider, text)])].map(at(path)),
  );
};

/** These follow from the connection and the body, or are nobody's to set. */
const ours: ReadonlySet<string> = new Set(
  "connection content-length cookie expect host http2-settings keep-alive proxy-authorization proxy-connection te trailer transfer-encoding upgrade".split(
    " ",
  ),
);

const headerBreaches = (
  provider: Provider,
  headers: Readonly<Record<string, string>>,
  path: Path,
): readonly PathFault[] => {
  const seen = new Set<string>();
  return Object.entries(headers).flatMap(([name, text]) => {
    const lower = name.toLowerCase();
    const faults = templateBreaches(provider, text).map(at([...path, name]));
    const key = (message: string): void => void faults.push({ path: [...path, name], part: "key", message });
    if (!/^[!#$%&'*+.^_`|~\da-z-]+$/.test(lower)) key("is no name of a header.");
    if (ours.has(lower)) key("is a header that the server sets itself.");
    if (seen.has(lower)) key("is there twice.");
    if (!/^[\x20-\x7e]*$/.test(text))
      faults.push(at([...path, name])("has a character that no header can carry."));
    seen.add(lower);
    return faults;
  });
};

export const requestBreaches = (provider: Provider): readonly PathFault[] => {
  const { headers, query, verification } = provider;
  const faults = [
    ...headerBreaches(provider, headers, ["headers"]),
    ...Object.entries(query).flatMap(([name, text]) =>
      templateBreaches(provider, text).map(at(["query", name])),
    ),
  ];
  const usesKey = [...Object.values(headers), ...Object.values(query)].some((text) =>
    text.includes("apiKey"),
  );
  if (provider.auth_mode === "API_KEY" && !usesKey) {
    faults.push(at(["auth_mode"])("is API_KEY, and neither a header nor the query takes ${apiKey}."));
  }
  if (verification === undefined) return faults;
  faults.push(...headerBreaches(provider, verification.headers, ["verification", "headers"]));
  const path = at(["verification", "path"]);
  faults.push(...templateBreaches(provider, verification.path).map(path));
  if (!verification.path.startsWith("/")) faults.push(path("must start with a slash."));
  if (/[\\#\s]|\/\.\.?(\/|$)/.test(verification.path)) {
    faults.push(path("must not have a blank, a fragment, or steps like .. in it."));
  }
  return faults;
};
