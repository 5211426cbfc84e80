import { isHostname } from "../../../kernel/text/host.ts";
import { faultOfValue } from "./field-value.ts";
import { inProcess, type Field, type Provider } from "./provider.ts";
import { fill, namesIn, templateOf, TemplateFault, type Part, type Template } from "./template.ts";

/** The address of a provider, part of which people may fill in without ever choosing whose it is. */

export type Address =
  | { readonly kind: "in process" }
  | {
      readonly kind: "https";
      readonly host: Template;
      /** Behind the host: empty, or from the first slash on. */
      readonly path: Template;
      /** What the host always ends with, when values stand in it: `.zendesk.com`. */
      readonly pinned: string | undefined;
    };

const scheme = "https://";

const takeHost = (template: Template): { readonly host: Part[]; readonly path: Part[] } => {
  const host: Part[] = [];
  for (const [index, part] of template.entries()) {
    const slash = part.kind === "text" ? part.text.indexOf("/") : -1;
    if (part.kind !== "text" || slash < 0) {
      host.push(part);
      continue;
    }
    if (slash > 0) host.push({ kind: "text", text: part.text.slice(0, slash) });
    const path: Part[] = [{ kind: "text", text: part.text.slice(slash) }, ...template.slice(index + 1)];
    return { host, path };
  }
  return { host, path: [] };
};

const literal = (parts: Template): string =>
  parts.map((part) => (part.kind === "text" ? part.text : "")).join("");

const pinnedEnd = (host: Template): string | undefined => {
  const last = host.at(-1);
  if (last?.kind !== "text") return undefined;
  if (!/^(\.[a-z0-9-]+){2,}$/.test(last.text)) {
    throw new TemplateFault(
      `would let a value choose the domain: behind the last one must come a dot and at least two names, as in .example.com, not ${last.text}`,
    );
  }
  return last.text;
};

const addresses = new Map<string, Address>();

const readAddress = (baseUrl: string): Address => {
  if (baseUrl === inProcess) return { kind: "in process" };
  if (!baseUrl.startsWith(scheme)) throw new TemplateFault(`must start with ${scheme}`);
  const { host, path } = takeHost(templateOf(baseUrl.slice(scheme.length)));
  if (/[^a-z0-9.-]/.test(literal(host))) {
    throw new TemplateFault("has a host with other than lower-case letters, digits, dots and hyphens");
  }
  if (/[?#\\@\s]/.test(literal(path)))
    throw new TemplateFault("must end with its path, and have no blank in it");
  if (host.some(({ kind }) => kind === "base64")) throw new TemplateFault("has a base64(…) in its host");
  const variable = host.some(({ kind }) => kind !== "text");
  if (!variable && !isHostname(literal(host))) throw new TemplateFault("has no right host name");
  return { kind: "https", host, path, pinned: variable ? pinnedEnd(host) : undefined };
};

/** @throws TemplateFault */
export const addressOf = (baseUrl: string): Address => {
  const address = addresses.get(baseUrl) ?? readAddress(baseUrl);
  addresses.set(baseUrl, address);
  return address;
};

/** The field of a configuration that a name of a template means. */
export const configField = (
  provider: Pick<Provider, "connection_config" | "integration_config">,
  name: string,
): Field | undefined => {
  const [record, key = ""] = name.split(".", 2);
  const fields =
    record === "connectionConfig"
      ? provider.connection_config
      : record === "integrationConfig"
        ? provider.integration_config
        : {};
  return Object.hasOwn(fields, key) ? fields[key] : undefined;
};

/** The value that decides alone what the host ends with. */
export const choosesHost = ({
  host,
  pinned,
}: {
  readonly host: Template;
  readonly pinned: string | undefined;
}) => {
  const last = host.at(-1);
  return pinned === undefined && last?.kind === "value" ? last.name : undefined;
};

const isLabel = (text: string): boolean => isHostname(text) && !text.includes(".");

/**
 * The host with its values, checked again here, whoever has checked them before: one label each, unless the provider's
 * file lists them or leaves the whole host to them.
 *
 * @returns undefined when a value would change more than its place
 */
export const hostWith = (
  provider: Provider,
  address: Extract<Address, { readonly kind: "https" }>,
  valueOf: (name: string) => string,
): string | undefined => {
  const whole = choosesHost(address);
  for (const name of namesIn(address.host)) {
    const field = configField(provider, name);
    const value = valueOf(name);
    if (field === undefined || faultOfValue(field, value) !== undefined) return undefined;
    const wide = name === whole || field.enum !== undefined;
    if (!(wide ? isHostname(value) : isLabel(value))) return undefined;
  }
  const host = fill(address.host, valueOf).toLowerCase();
  const read = URL.parse(`${scheme}${host}/`);
  if (read === null || read.host !== host || read.pathname !== "/") return undefined;
  return address.pinned === undefined || host.endsWith(address.pinned) ? host : undefined;
};
