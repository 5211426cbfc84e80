import type { ProviderAccount } from "../model/connection.ts";
import { jsonOf, textAt, valueAt } from "./model/answer-body.ts";
import { headerOf, waitOf, type AnswerHeaders } from "./answer-headers.ts";
import { own, type Texts } from "./check-fields.ts";
import { faultOfValue, hasControl } from "./model/field-value.ts";
import { matchesWhole } from "./model/pattern.ts";
import type { Outcome, Provider, Shape } from "./model/provider.ts";

/** What a provider's answer to the identity call means. */

export type ProviderAnswer = {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly body: Buffer | string;
};

export type Verdict =
  | { readonly outcome: "accepted"; readonly account: ProviderAccount }
  | {
      readonly outcome: Exclude<Outcome, "accepted">;
      /** Whole seconds that the provider asks to wait. */
      readonly waitSeconds?: number;
      /** What the provider's file tells people instead of the usual sentence. */
      readonly says?: string;
    };

type Rule = Provider["outcomes"][number];

const statusFits = (status: number, wanted: number | string): boolean => {
  if (typeof wanted === "number") return status === wanted;
  const [low = "", high] = wanted.split("-", 2);
  if (high !== undefined) return status >= Number(low) && status <= Number(high);
  return String(status).startsWith(low.slice(0, 1));
};

const fits = ({ when }: Rule, { status, headers }: ProviderAnswer, json: unknown): boolean => {
  if (when.status !== undefined && !when.status.some((wanted) => statusFits(status, wanted))) return false;
  if (when.body !== undefined) {
    const text = textAt(json, when.body.path);
    if (text === undefined || !matchesWhole(when.body.matches, text)) return false;
  }
  if (when.header !== undefined) {
    const text = headerOf(headers, when.header.name);
    if (text === undefined || !matchesWhole(when.header.matches, text)) return false;
  }
  return true;
};

/** What statuses mean where a provider's file says nothing else. */
const usual = (status: number): Outcome => {
  if (status >= 200 && status < 300) return "accepted";
  if (status === 401 || status === 403) return "wrong_credentials";
  if (status === 402) return "quota";
  if (status === 429) return "rate_limited";
  if (status === 408 || status >= 500) return "unavailable";
  return "unexpected";
};

const longestText = 255;

/** What strangers call themselves, fit to be kept and shown. */
const shownText = (json: unknown, paths: readonly string[]): string | null => {
  for (const path of paths) {
    const value = valueAt(json, path);
    if (typeof value !== "string" && typeof value !== "number") continue;
    const text = String(value)
      .toWellFormed()
      .replace(/[\p{Cc}\u2028\u2029]+/gu, " ")
      .trim();
    if (text !== "") return text.slice(0, longestText).toWellFormed();
  }
  return null;
};

/** Numbers that were rounded when they were read would make one account of two. */
const idAt = (json: unknown, path: string): string | undefined => {
  const value = valueAt(json, path);
  if (typeof value === "number") return Number.isSafeInteger(value) ? String(value) : undefined;
  if (typeof value !== "string" || value === "") return undefined;
  return value.length <= longestText && !hasControl(value) ? value : undefined;
};

const accountIn = (provider: Provider, json: unknown): ProviderAccount | undefined => {
  if (provider.verification === undefined) return undefined;
  const { account } = provider.verification;
  const id = idAt(json, account.id);
  if (id === undefined) return undefined;
  return {
    id,
    name: shownText(json, account.name),
    email: shownText(json, account.email),
    workspace: shownText(json, account.workspace),
  };
};

/** Whose account an answer tells of; undefined when it does not tell. */
export const readAccount = (provider: Provider, body: Buffer | string): ProviderAccount | undefined =>
  accountIn(provider, jsonOf(body));

/** @param now epoch milliseconds, for headers that name a moment */
export const judgeAnswer = (provider: Provider, answer: ProviderAnswer, now: number): Verdict => {
  const json = jsonOf(answer.body);
  const rule = provider.outcomes.find((one) => fits(one, answer, json));
  const outcome = rule?.is ?? usual(answer.status);
  if (outcome === "accepted") {
    const account = accountIn(provider, json);
    return account === undefined ? { outcome: "unexpected" } : { outcome, account };
  }
  const waits = outcome === "quota" || outcome === "rate_limited" || outcome === "unavailable";
  const waitSeconds = waits ? waitOf(provider, answer.headers, now) : undefined;
  return {
    outcome,
    ...(waitSeconds === undefined ? {} : { waitSeconds }),
    ...(rule?.says === undefined ? {} : { says: rule.says }),
  };
};

export type Swapped = { readonly shape: Shape; readonly credentials: Texts };

/**
 * The better credentials that an identity answer holds for a shape with a `swap`.
 *
 * @returns undefined when the shape has none, or the answer holds nothing of the right form
 */
export const swappedFor = (provider: Provider, shape: Shape, body: Buffer | string): Swapped | undefined => {
  const { swap } = shape;
  const into = provider.shapes.find(({ name }) => name === swap?.into);
  if (swap === undefined || into === undefined) return undefined;
  const value = valueAt(jsonOf(body), swap.read);
  const field = own(into.fields, swap.field);
  if (typeof value !== "string" || value === "" || field === undefined) return undefined;
  if (faultOfValue(field, value) !== undefined) return undefined;
  const credentials: Record<string, string> = {};
  for (const [name, { default: standard = "" }] of Object.entries(into.fields)) credentials[name] = standard;
  credentials[swap.field] = value;
  return { shape: into, credentials };
};
