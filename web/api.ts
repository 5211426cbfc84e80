import type { Calls, RefusalCode } from "./api.generated.ts";

/** The API of this server, as the pages call it: typed from its document, refusals as problem documents (RFC 9457). */

export type Issue = { readonly field: string; readonly rule: string; readonly message: string };

type Problem = {
  readonly code: RefusalCode;
  readonly detail: string;
  readonly instance: string;
  readonly errors?: readonly Issue[];
};

/** The server said no, and why. */
export class Refused extends Error {
  readonly code: RefusalCode;
  readonly issues: readonly Issue[];
  /** Whole seconds to wait before the next try, when the server says so. */
  readonly retryAfter: number | undefined;
  readonly requestId: string;

  constructor({ code, detail, errors, instance }: Problem, retryAfter: string | null) {
    super(detail);
    this.code = code;
    this.issues = errors ?? [];
    const seconds = Number(retryAfter);
    this.retryAfter = retryAfter !== null && seconds > 0 ? seconds : undefined;
    this.requestId = instance.replace("urn:latchkey:request:", "");
  }
}

/** No answer that could be understood: the network, or something in between. */
class Unreachable extends Error {}

const longestMs = 30_000;

type Options<Name extends keyof Calls> = {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
} & (Calls[Name]["body"] extends undefined
  ? { readonly body?: undefined }
  : { readonly body?: Calls[Name]["body"] });

const isProblem = (value: unknown): value is Problem =>
  typeof value === "object" && value !== null && "code" in value && "detail" in value && "instance" in value;

const urlOf = (name: string, { params = {}, query = {} }: Options<keyof Calls>): string => {
  const path = name
    .slice(name.indexOf(" ") + 1)
    .replaceAll(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(params[key] ?? ""));
  const search = new URLSearchParams(query).toString();
  return search === "" ? path : `${path}?${search}`;
};

/** @throws Refused, Unreachable */
export const call = async <Name extends keyof Calls>(
  name: Name,
  options: Options<Name>,
): Promise<Calls[Name]["answer"]> => {
  let response: Response;
  let answer: unknown;
  try {
    response = await fetch(urlOf(name, options), {
      method: name.slice(0, name.indexOf(" ")),
      headers: {
        accept: "application/problem+json, application/json",
        ...(options.body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      signal: AbortSignal.timeout(longestMs),
    });
    answer = await response.json();
  } catch (error) {
    throw new Unreachable("no answer", { cause: error });
  }
  if (isProblem(answer)) throw new Refused(answer, response.headers.get("retry-after"));
  if (!response.ok) throw new Unreachable(`an answer that is not ours: ${response.status}`);
  // The types are made from what the server's rows declare.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return answer as Calls[Name]["answer"];
};
