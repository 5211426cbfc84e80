import { invalid, type Refusal } from "../../kernel/errors.ts";
import { own, type Texts } from "./check-fields.ts";
import { hasControl } from "./model/field-value.ts";
import { addressOf, configField, hostWith } from "./model/host.ts";
import { inProcess, type Provider } from "./model/provider.ts";
import { fill, namesIn, templateOf, type Template } from "./model/template.ts";

/** What the catalogue puts into a call to a provider. Everything here may hold secrets: none of it is for a log. */

export type RequestValues = {
  readonly credentials: Texts;
  readonly connectionConfig: Texts;
  readonly integrationConfig: Readonly<Record<string, string | boolean>>;
};

export type RequestParts = {
  /** Of the scheme `latchkey:` when this server answers itself. */
  readonly baseUrl: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly query: readonly (readonly [name: string, value: string])[];
  /** Names of the headers that carry a secret, and must stay with the origin. */
  readonly sensitive: readonly string[];
};

const titleOf = (provider: Provider, name: string): string => {
  const ofShape = provider.shapes
    .map(({ fields }) => own(fields, name)?.title)
    .find((title) => title !== undefined);
  return ofShape ?? configField(provider, name)?.title ?? name;
};

const missing = (provider: Provider, name: string): Refusal =>
  invalid(name, "required", `${titleOf(provider, name)} is missing`);

type ValueOf = (name: string) => string;

/** @throws Refusal input_invalid for a value that is not there, or that no request can carry */
const valuesOf =
  (provider: Provider, { credentials, connectionConfig, integrationConfig }: RequestValues): ValueOf =>
  (name) => {
    const [record, key] = name.split(".", 2);
    const given =
      key === undefined
        ? own(credentials, name)
        : record === "connectionConfig"
          ? own(connectionConfig, key)
          : own(integrationConfig, key);
    const value = given ?? configField(provider, name)?.default;
    if (value === undefined) throw missing(provider, name);
    const text = String(value);
    if (hasControl(text)) {
      const message = `${titleOf(provider, name)} has a line break or another control character in it`;
      throw invalid(name, "control_character", message);
    }
    return text;
  };

/** @throws Refusal input_invalid */
const inPath =
  (provider: Provider) =>
  (value: string, name: string): string => {
    // The parser of URLs takes these as steps up the path, in whatever spelling.
    if (value === "" || value === "." || value === "..") {
      throw invalid(name, "pattern", `${titleOf(provider, name)} can't stand in an address`);
    }
    return encodeURIComponent(value);
  };

const inHeader =
  (provider: Provider) =>
  (value: string, name: string): string => {
    if (/^[\x20-\x7e]*$/.test(value)) return value;
    throw invalid(name, "pattern", `${titleOf(provider, name)} has a character that can't be sent`);
  };

const withoutSlash = (address: string): string => address.replace(/\/+$/, "");

const addressFault = (name: string): Refusal =>
  invalid(
    name,
    "format",
    "base_url must be an address like https://api.example.com, without user, query and fragment",
  );

/**
 * An integration's own address in place of the catalogue's. Whether it may be called is not judged here.
 *
 * @throws Refusal input_invalid
 */
export const ownBaseUrl = (given: string, name = "base_url"): URL => {
  const url = URL.parse(given);
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    [url.username, url.password, url.search, url.hash].some((part) => part !== "") ||
    /[?#@\s\\]/.test(given)
  ) {
    throw addressFault(name);
  }
  return new URL(withoutSlash(url.href));
};

/** @throws Refusal input_invalid when a value would lead elsewhere than its place allows */
const filledBaseUrl = (provider: Provider, baseUrl: string, valueOf: ValueOf): URL => {
  const address = addressOf(baseUrl);
  if (address.kind === "in process") return new URL(inProcess);
  const host = hostWith(provider, address, valueOf);
  if (host === undefined) {
    const [name = ""] = namesIn(address.host);
    throw invalid(name, "format", `${titleOf(provider, name)} does not lead to ${provider.display_name}`);
  }
  return new URL(withoutSlash(`https://${host}${fill(address.path, valueOf, inPath(provider))}`));
};

const baseUrlFor = (provider: Provider, baseUrl: string, values: RequestValues, valueOf: ValueOf): URL => {
  const override = own(values.integrationConfig, "base_url");
  return typeof override === "string" && override !== ""
    ? ownBaseUrl(override, "integrationConfig.base_url")
    : filledBaseUrl(provider, baseUrl, valueOf);
};

const isSecret = (provider: Provider, template: Template): boolean =>
  namesIn(template).some((name) => !name.includes(".") || configField(provider, name)?.secret === true);

type Headers = Record<string, string>;

const fillHeaders = (
  provider: Provider,
  templates: Readonly<Record<string, string>>,
  valueOf: ValueOf,
): { readonly headers: Headers; readonly sensitive: string[] } => {
  const headers: Headers = {};
  const sensitive: string[] = [];
  for (const [name, text] of Object.entries(templates)) {
    const template = templateOf(text);
    const lower = name.toLowerCase();
    headers[lower] = fill(template, valueOf, inHeader(provider));
    if (isSecret(provider, template)) sensitive.push(lower);
  }
  return { headers, sensitive };
};

const refuseColon = (provider: Provider, valueOf: ValueOf): void => {
  if (provider.auth_mode === "BASIC" && valueOf("username").includes(":")) {
    throw invalid("username", "colon", `${titleOf(provider, "username")} can't have a colon in it`);
  }
};

const basic = "Basic ${base64(${username}:${password})}";

const allHeaders = (provider: Provider): Readonly<Record<string, string>> => {
  const names = Object.keys(provider.headers).map((name) => name.toLowerCase());
  return provider.auth_mode === "BASIC" && !names.includes("authorization")
    ? { authorization: basic, ...provider.headers }
    : provider.headers;
};

const fillQuery = (provider: Provider, valueOf: ValueOf): RequestParts["query"] =>
  Object.entries(provider.query).map(([name, text]) => [name, fill(templateOf(text), valueOf)] as const);

/** What every call carries. @throws Refusal input_invalid naming the value that can't be used */
export const requestPartsOf = (provider: Provider, values: RequestValues): RequestParts => {
  const valueOf = valuesOf(provider, values);
  refuseColon(provider, valueOf);
  return {
    baseUrl: baseUrlFor(provider, provider.base_url, values, valueOf),
    ...fillHeaders(provider, allHeaders(provider), valueOf),
    query: fillQuery(provider, valueOf),
  };
};

/** A request as each one to this provider begins, with what more of it can be made of. */
export type PreparedRequest = {
  readonly provider: Provider;
  readonly values: RequestValues;
  readonly parts: RequestParts;
  /** Where the credentials would go. */
  readonly origin: string;
};

/** @throws Refusal input_invalid naming the value that can't be used */
export const prepareRequest = (provider: Provider, values: RequestValues): PreparedRequest => {
  const parts = requestPartsOf(provider, values);
  return { provider, values, parts, origin: originOf(parts.baseUrl) };
};

/** Letters of an address in another spelling, which whoever answers may read as a step or as a folder. */
const disguised = /%2e|%2f|%5c|\\|\/\//i;

/**
 * Where a path with its query leads to behind a base URL.
 *
 * @returns undefined when it leads out of the base URL, or to a folder that the provider's file does not open
 */
export const urlBehind = (provider: Provider, baseUrl: URL, path: string): URL | undefined => {
  const base = withoutSlash(baseUrl.href);
  const url = URL.parse(`${base}/${path.replace(/^\/+/, "")}`);
  if (url === null || url.protocol !== baseUrl.protocol || url.host !== baseUrl.host) return undefined;
  if (!url.pathname.startsWith(`${withoutSlash(baseUrl.pathname)}/`)) return undefined;
  url.hash = "";
  const { paths } = provider;
  if (paths === undefined) return url;
  const below = url.pathname.slice(withoutSlash(baseUrl.pathname).length);
  return !disguised.test(below) && paths.some((folder) => below.startsWith(folder)) ? url : undefined;
};

export type VerificationRequest = {
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly sensitive: readonly string[];
};

/**
 * The call by which the provider tells whose credentials these are; undefined when its file has none.
 *
 * @throws Refusal input_invalid naming the value that can't be used
 */
export const verificationRequestOf = ({
  provider,
  values,
  parts,
}: PreparedRequest): VerificationRequest | undefined => {
  const { verification } = provider;
  if (verification === undefined) return undefined;
  const valueOf = valuesOf(provider, values);
  const baseUrl =
    verification.base_url === undefined
      ? parts.baseUrl
      : baseUrlFor(provider, verification.base_url, values, valueOf);
  const url = urlBehind(provider, baseUrl, fill(templateOf(verification.path), valueOf, inPath(provider)));
  if (url === undefined) throw addressFault("base_url");
  for (const [name, value] of parts.query) url.searchParams.append(name, value);
  const body = verification.body === undefined ? undefined : JSON.stringify(verification.body);
  const added = fillHeaders(provider, verification.headers, valueOf);
  const standing = {
    accept: "application/json",
    ...(body === undefined ? {} : { "content-type": "application/json" }),
  };
  return {
    method: verification.method,
    url,
    headers: { ...standing, ...parts.headers, ...added.headers },
    body,
    sensitive: [...parts.sensitive.filter((name) => !Object.hasOwn(added.headers, name)), ...added.sensitive],
  };
};

/** Where credentials were accepted, and may be sent again: an origin, or `latchkey:`. */
export const originOf = (baseUrl: URL): string =>
  baseUrl.protocol === inProcess ? inProcess : baseUrl.origin;
