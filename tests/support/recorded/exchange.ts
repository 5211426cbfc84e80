// What a server of the original answered, request by request, and how Latchkey is held to it.

import { expect } from "vitest";
import type { Reply } from "../http.ts";
import { fieldsOf, listOf } from "../shapes.ts";
import type { RecordedScene } from "./scene.ts";

/** Where Latchkey answers otherwise on purpose: why, and under which heading of the guide it is told. */
export const repairs = {
  anyKey: { heading: "Keys and environments", why: "a key has no form; what opens nothing is unknown" },
  environments: { heading: "Keys and environments", why: "environments are made by the operator" },
  unknownPath: { heading: "Errors", why: "what is not there is 404, and no fault of the server" },
  unknownConnection: { heading: "Errors", why: "one code for one cause" },
  outcomes: {
    heading: "Submitting credentials",
    why: "a provider's bad day is told apart from a wrong password",
  },
  identity: { heading: "Submitting credentials", why: "2xx counts when it says whose account it is" },
  blanks: { heading: "Submitting credentials", why: "blanks around what was pasted are not part of it" },
  impossible: {
    heading: "Submitting credentials",
    why: "what can't be true is refused before the provider is asked, by the field",
  },
  tokenInHeader: { heading: "Submitting credentials", why: "a token in the header is in no log of a proxy" },
  swapped: {
    heading: "Submitting credentials",
    why: "the token that was fetched with it is kept, not the password",
  },
  finished: { heading: "Connect sessions", why: "a link is used once" },
  noSockets: { heading: "Connect sessions", why: "there are no windows to wait for" },
  linkBehindHash: { heading: "Connect sessions", why: "a token behind the # reaches no server and no log" },
  kept: { heading: "Connections", why: "linking anew keeps what the app has written" },
  wholeAnswer: { heading: "The proxy", why: "the provider's headers come back on success too" },
  ownId: { heading: "The proxy", why: "the id of an answer is the one that this server's log has" },
  health: { heading: "Not here", why: "health has paths of its own" },
} as const;

/** Fields that the original does not have, wherever they stand. */
const additions: readonly string[] = [
  "account",
  "state",
  "state_reason",
  "last_verified_at",
  "finished",
  "integration_config",
  "shapes",
  "guide",
];

/** A refusal: its code, and path and code of each issue. */
export type Told = {
  readonly code: string;
  readonly issues?: readonly (readonly [path: string, code: unknown])[];
};

type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, unknown>>;
  /** With matchers for what differs from time to time. */
  readonly body?: unknown;
  readonly error?: Told;
};

export type Exchange = {
  readonly title: string;
  readonly ask: (at: RecordedScene) => Promise<Reply>;
  readonly recorded: Answer;
  /** What comes in place of that: of a repair, and only where it has a reason. */
  readonly repaired?: Partial<Answer> & { readonly why: keyof typeof repairs };
};

const isMatcher = (value: object): boolean => "asymmetricMatch" in value;

/** `a.b[].c` for each field, in no order; what a matcher stands for has none of its own. */
const keysOf = (value: unknown, path = ""): readonly string[] => {
  if (typeof value !== "object" || value === null || isMatcher(value)) return [];
  if (Array.isArray(value)) return value.flatMap((item) => keysOf(item, `${path}[]`));
  return Object.entries(value).flatMap(([name, inner]) => {
    const here = path === "" ? name : `${path}.${name}`;
    return [here, ...keysOf(inner, here)];
  });
};

const distinct = (texts: readonly string[]): readonly string[] => [...new Set(texts)].toSorted();

const isOurs = (key: string): boolean => key.split(/\.|\[\]/).some((name) => additions.includes(name));

const holdRefusal = (reply: Reply, { code, issues }: Told): void => {
  const error = fieldsOf(fieldsOf(reply.json())["error"]);
  expect(error["code"]).toBe(code);
  expect(error["message"]).toMatch(/\w+ \w+/);
  if (issues === undefined) {
    expect(error).not.toHaveProperty("errors");
    return;
  }
  const found = listOf(error["errors"]);
  expect(found.map(({ path, code: rule }) => [[path].flat().join("."), rule])).toEqual(issues);
  for (const { message } of found) expect(message).toMatch(/\w+ \w+/);
};

/** Fails unless the answer is the recorded one, or the one that it was repaired to. */
export const expectAsRecorded = ({ recorded, repaired }: Exchange, reply: Reply): void => {
  const {
    status,
    headers = {},
    body,
    error,
  }: Answer = repaired?.body !== undefined || repaired?.error !== undefined
    ? { status: recorded.status, ...repaired }
    : { ...recorded, ...repaired };
  expect(reply.status, reply.text).toBe(status);
  expect(reply.headers).toMatchObject(headers);
  expect(reply.headers["access-control-allow-origin"]).toBe("*");
  if (error) holdRefusal(reply, error);
  else if (body === undefined) expect(reply.text).toBe("");
  else if (typeof body === "string") expect(reply.json()).toBe(body);
  else {
    const found = reply.json();
    expect(found).toMatchObject(fieldsOf(body));
    expect(distinct(keysOf(found).filter((key) => !isOurs(key)))).toEqual(distinct(keysOf(body)));
  }
};
