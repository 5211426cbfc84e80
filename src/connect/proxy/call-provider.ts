import type { ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { LRUCache } from "lru-cache";
import { minute } from "../../kernel/clock.ts";
import { Refusal } from "../../kernel/errors.ts";
import type { Incoming } from "../../kernel/http/incoming.ts";
import type { HeadersOut } from "../../kernel/outbound/headers.ts";
import type { OutboundFault, PipeOptions, PipeOutcome } from "../../kernel/outbound/outbound.ts";
import { inProcess } from "../catalogue/model/provider.ts";
import { createCredentialCache, type ReadyConnection } from "./credential-cache.ts";
import type { ConnectionUse } from "../connections/connection-use.ts";
import type { RoomDeps } from "../deps.ts";
import type { KeyHolder } from "../model/environment.ts";
import { droppedHeaders, proxiedHead } from "./answer-head.ts";
import { ownBody, pipeOwnApi } from "./own-api.ts";
import { forwardedHead, hasBody, type Asked, type ForwardedHead } from "./asked.ts";
import { keptBody, notTried, waitAfter, waitAfterFault, waitUnlessLeft, type Tried } from "./retry.ts";
import { createSlots } from "./slots.ts";
import { createSuspicion } from "./suspicion.ts";
import { targetOf, type Target } from "./target.ts";

type Deps = Pick<
  RoomDeps,
  "store" | "clock" | "rootKeys" | "catalogue" | "outbound" | "ownApi" | "log" | "audit" | "policy" | "tell"
> & { readonly uses: Pick<ConnectionUse, "noteUse"> };

export type ProviderCall = {
  readonly holder: KeyHolder;
  readonly asked: Asked;
  readonly incoming: Incoming;
  /** Path and query with `/proxy` before them, where those of the request itself are not meant. */
  readonly sent?: string;
};

/** A call whose every rule was checked; what is left is to make it. */
type Admitted = ProviderCall & {
  readonly connection: ReadyConnection;
  readonly target: Target;
  readonly head: ForwardedHead;
};

type Body = Buffer | Readable | undefined;

type Standing = Readonly<Record<string, string>>;

export type CallProvider = {
  /** @returns what writes the answer. @throws Refusal when the call may not be made */
  readonly call: (
    call: ProviderCall,
  ) => Promise<(response: ServerResponse, standing: Standing) => Promise<void>>;
  /** Forgets credentials that were opened long ago. To be called now and then. */
  readonly age: () => void;
};

const sentElsewhereEveryMs = minute;

/** Why there is no answer, in our words: whatever the provider says goes back as it is. */
const refusalOf = (fault: OutboundFault, isOverride: boolean): Refusal => {
  const details = { text: fault.message, cause: fault };
  switch (fault.kind) {
    case "address_refused":
      return new Refusal(isOverride ? "base_url_override_not_allowed" : "address_refused", details);
    case "too_many_redirects":
    case "too_large":
      return new Refusal("unexpected_answer", details);
    case "timeout":
    case "unreachable":
    case "broken":
      return new Refusal("provider_unavailable", details);
  }
};

const isOfNetwork = ({ kind }: OutboundFault): boolean =>
  kind === "timeout" || kind === "unreachable" || kind === "broken";

/** Whether the provider saw the connection's own credentials, and not what the caller put in their place. */
const sentOwn = ({ connection: { parts }, head }: Admitted): boolean =>
  parts.sensitive.every((name) => head.add[name] === parts.headers[name]);

/**
 * Makes a call with a connection's credentials, which the caller never sees, and streams the provider's answer back as it
 * is. Writes nothing to the database: when a connection was used is collected, and written from time to time.
 */
export const callProvider = (deps: Deps): CallProvider => {
  const { store, clock, outbound, log } = deps;
  const credentials = createCredentialCache(deps);
  const suspicion = createSuspicion(deps);
  const slots = createSlots();
  const sentElsewhere = new LRUCache<string, number>({ max: 1000 });

  /** Who sends credentials to an address of their choice could as well have read them. */
  const noteElsewhere = async ({ holder, connection, target, incoming }: Admitted): Promise<void> => {
    const { origin } = target.url;
    const name = `${holder.keyId} ${connection.id} ${origin}`;
    const now = clock.now();
    if (now - (sentElsewhere.get(name) ?? Number.NEGATIVE_INFINITY) < sentElsewhereEveryMs) return;
    await deps.audit.record(store.query, {
      event: "credentials_read",
      outcome: "done",
      channel: "key",
      address: incoming.client.address,
      details: {
        environment: holder.environment.name,
        key: holder.keyName,
        integration: connection.integrationKey,
        connection: connection.connectionId,
        sent_to: origin.slice(0, 255),
      },
    });
    sentElsewhere.set(name, now);
  };

  const bodyOf = async ({ incoming, asked, target }: Admitted): Promise<Body | "left"> => {
    const request = incoming.stream;
    if (!hasBody(request.headers)) return undefined;
    try {
      if (target.url.protocol === inProcess) return await ownBody(request);
      return asked.retries > 0 ? await keptBody(request) : request;
    } catch (error) {
      if (request.destroyed && !request.complete) return "left";
      throw error;
    }
  };

  const send = (
    { incoming, target, head }: Admitted,
    body: Body,
    { response, options }: { readonly response: ServerResponse; readonly options: PipeOptions },
  ): Promise<PipeOutcome> => {
    const { method } = incoming;
    if (target.url.protocol === inProcess) {
      const headers = { ...head.headers, ...head.add };
      const kept = Buffer.isBuffer(body) ? body : undefined;
      const from = incoming.client.address;
      const asked = { from, method, path: target.path, headers, body: kept };
      return pipeOwnApi(deps.ownApi, asked, response, options);
    }
    const { url, path } = target;
    return outbound.pipe(
      { method, url, path, headers: head.headers, add: head.add, body },
      response,
      options,
    );
  };

  const settle = (admitted: Admitted, outcome: PipeOutcome, tried: Tried): void => {
    const { connection, incoming, target, asked } = admitted;
    const status = "status" in outcome ? outcome.status : undefined;
    if ((status === 401 || status === 403) && !target.elsewhere && sentOwn(admitted)) {
      suspicion.onRefused(connection.id);
    }
    const { requestId, method } = incoming;
    const facts = { requestId, method, connection: connection.id, status };
    if (outcome.ended === "cut") log.info("proxied_answer_cut", { ...facts, fault: outcome.fault });
    else log.debug("request_proxied", { ...facts, ended: outcome.ended, again: tried.times });
    if (outcome.ended === "failed") throw refusalOf(outcome.fault, asked.baseUrlOverride !== undefined);
  };

  const deliver = async (admitted: Admitted, response: ServerResponse, standing: Standing): Promise<void> => {
    const { asked, connection } = admitted;
    const { provider } = connection;
    const body = await bodyOf(admitted);
    if (body === "left") {
      settle(admitted, { ended: "left" }, notTried);
      return;
    }
    // What is a stream is gone after the first try.
    const canRepeat = body === undefined || Buffer.isBuffer(body);
    // Each try listens for the client's leaving.
    if (asked.retries > 0) response.setMaxListeners(2 * asked.retries + response.getMaxListeners());
    let tried = notTried;
    let waitMs: number | undefined;
    const options: PipeOptions = {
      drop: droppedHeaders,
      head: (status: number, headers: HeadersOut) => {
        waitMs = canRepeat
          ? waitAfter({ provider, asked, now: clock.now() }, tried, { status, headers })
          : undefined;
        return waitMs === undefined ? proxiedHead(headers, standing) : undefined;
      },
    };
    for (;;) {
      const outcome = await send(admitted, body, { response, options });
      if (outcome.ended === "failed" && canRepeat && isOfNetwork(outcome.fault)) {
        waitMs = waitAfterFault(asked, tried);
      } else if (outcome.ended !== "kept") waitMs = undefined;
      if (waitMs === undefined) {
        settle(admitted, outcome, tried);
        return;
      }
      if (!(await waitUnlessLeft(waitMs, response))) return;
      tried = { times: tried.times + 1, waitedMs: tried.waitedMs + waitMs };
    }
  };

  const admit = async (call: ProviderCall): Promise<Admitted> => {
    const { holder, asked, incoming } = call;
    const request = incoming.stream;
    const found = credentials.find(holder.environment, asked.integrationKey, asked.connectionId);
    const connection = found instanceof Promise ? await found : found;
    if (connection.state === "failing") suspicion.onFailing(connection.id);
    const given = { ownOrigin: deps.policy.origin, holder, asked };
    const target = targetOf(given, connection, call.sent ?? request.url ?? "/");
    const head = forwardedHead(request.headers, asked, connection.parts.headers);
    const admitted = { ...call, connection, target, head };
    if (target.elsewhere) await noteElsewhere(admitted);
    return admitted;
  };

  return {
    call: async (call) => {
      const admitted = await admit(call);
      return async (response, standing) => {
        const { id } = admitted.connection;
        slots.take(id);
        deps.uses.noteUse(id);
        try {
          await deliver(admitted, response, standing);
        } catch (error) {
          if (!response.headersSent && !response.destroyed) throw error;
          // Too late to tell anybody but the log; a part must not pass for the whole.
          response.destroy();
          log.error("request_failed", { requestId: call.incoming.requestId, cause: error });
        } finally {
          slots.giveBack(id);
        }
      };
    },
    age: credentials.age,
  };
};
