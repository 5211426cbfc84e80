import type { Calls, RefusalCode } from "./api.generated.ts";

/** The API of this server, as the pages call it: typed from its document, refusals as problem documents (RFC 9457). */

export type Issue = { readonly field: string; readonly rule: string; readonly message: string };

/** What some refusals are called on the Connect wire only. */
type ConnectCode = "invalid_body" | "invalid_query_params" | "too_many_request" | "server_error";

type Told = {
  readonly code: RefusalCode | ConnectCode;
  readonly message: string;
  readonly issues: readonly Issue[];
  readonly payload?: unknown;
};

type Problem = {
  readonly code: RefusalCode;
  readonly detail: string;
  readonly errors?: readonly Issue[];
};

/** The server said no, and why. */
export class Refused extends Error {
  readonly code: Told["code"];
  readonly issues: readonly Issue[];
  /** What the code goes with, on the Connect wire. */
  readonly payload: unknown;
  /** Whole seconds to wait before the next try, when the server says so. */
  readonly retryAfter: number | undefined;
  readonly requestId: string;

  constructor({ code, message, issues, payload }: Told, { headers }: Response) {
    super(message);
    this.code = code;
    this.issues = issues;
    this.payload = payload;
    const retryAfter = headers.get("retry-after");
    const seconds = Number(retryAfter);
    this.retryAfter = retryAfter !== null && seconds > 0 ? seconds : undefined;
    this.requestId = headers.get("x-request-id") ?? "";
  }
}

/** No answer that could be understood: the network, or something in between. */
class Unreachable extends Error {}

const longestMs = 30_000;

/** JSON that says no code of ours: what somebody else answered, through us. */
export class OtherAnswer extends Unreachable {
  readonly status: number;
  readonly answer: unknown;

  constructor(status: number, answer: unknown) {
    super(`an answer that is not ours: ${status}`);
    this.status = status;
    this.answer = answer;
  }
}

type Options<Name extends keyof Calls> = {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  /** Of a connect session, where that counts and not the account's cookie. */
  readonly token?: string;
} & (Calls[Name]["body"] extends undefined
  ? { readonly body?: undefined }
  : { readonly body?: Calls[Name]["body"] });

const isProblem = (value: unknown): value is Problem =>
  typeof value === "object" && value !== null && "code" in value && "detail" in value;

type ConnectError = {
  readonly error: {
    readonly code: Told["code"];
    readonly message: string;
    readonly errors?: readonly {
      readonly code: string;
      readonly message: string;
      readonly path: readonly string[];
    }[];
    readonly payload?: unknown;
  };
};

const isConnectError = (value: unknown): value is ConnectError =>
  typeof value === "object" &&
  value !== null &&
  "error" in value &&
  typeof value.error === "object" &&
  value.error !== null &&
  "code" in value.error &&
  "message" in value.error;

const toldBy = (answer: unknown): Told | undefined => {
  if (isProblem(answer)) return { code: answer.code, message: answer.detail, issues: answer.errors ?? [] };
  if (!isConnectError(answer)) return undefined;
  const { code, message, errors = [], payload } = answer.error;
  const issues = errors.map(({ code: rule, message: said, path }) => ({
    field: path.join("."),
    rule,
    message: said,
  }));
  return { code, message, issues, payload };
};

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
        ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      },
      credentials: options.token === undefined ? "same-origin" : "omit",
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      signal: AbortSignal.timeout(longestMs),
    });
    answer = await response.json();
  } catch (error) {
    throw new Unreachable("no answer", { cause: error });
  }
  const told = toldBy(answer);
  if (told) throw new Refused(told, response);
  if (!response.ok) throw new OtherAnswer(response.status, answer);
  // The types are made from what the server's rows declare.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return answer as Calls[Name]["answer"];
};
