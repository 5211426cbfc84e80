import type { FastifyInstance } from "fastify";
import { connectRefusals, type OwnApi } from "#connect";
import { Refusal, refusals } from "#kernel/errors.ts";

/** This server's own Track API, called in this process: for connections of the provider `latchkey`. */
export type OwnApiLine = {
  readonly call: OwnApi;
  /** From here on calls are answered. */
  readonly answerWith: (server: FastifyInstance) => void;
};

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] as const;
const methodOf = (text: string): (typeof methods)[number] => {
  const method = methods.find((one) => one === text);
  if (!method) throw new Refusal(refusals.method_not_allowed);
  return method;
};

const textsOf = (
  headers: Readonly<Record<string, number | string | readonly string[] | undefined>>,
): Record<string, string | string[]> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === "object" ? [...value] : String(value)]],
    ),
  );

/** What proxies say of where a call comes from. There is none in between: whoever says so here made it up. */
const isOfProxies = (name: string): boolean =>
  name === "forwarded" || name === "via" || name === "x-real-ip" || name.startsWith("x-forwarded-");

const ownHeaders = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !isOfProxies(name.toLowerCase())));

/** @param origin whose host the calls name: any other would be refused */
export const createOwnApi = (origin: URL): OwnApiLine => {
  let server: FastifyInstance | undefined;
  return {
    answerWith: (answering) => {
      server = answering;
    },
    call: async ({ from, method, path, headers, body }) => {
      if (!server) throw new Refusal(connectRefusals.provider_unavailable);
      const answer = await server.inject({
        method: methodOf(method),
        url: path,
        headers: { "user-agent": "Latchkey", ...ownHeaders(headers), host: origin.host },
        ...(from === undefined ? {} : { remoteAddress: from }),
        ...(body === undefined ? {} : { payload: body }),
      });
      return { status: answer.statusCode, headers: textsOf(answer.headers), body: answer.rawPayload };
    },
  };
};
