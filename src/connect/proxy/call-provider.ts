import type { ServerResponse } from "node:http";
import { Refusal, type RefusalKind } from "../../kernel/errors.ts";
import type { OutboundFault } from "../../kernel/outbound/outbound.ts";
import type { ConnectionUse } from "../connections/connection-use.ts";
import type { RoomDeps } from "../deps.ts";
import type { CheckConnection } from "../verification/check-connection.ts";
import { sentOwn, type AdmittedCall, type ProviderCall } from "./admitted-call.ts";
import { forwardedHead } from "./asked.ts";
import type { CredentialCache } from "./credential-cache.ts";
import { deliverCall, type Delivered, type Standing } from "./deliver-call.ts";
import { createElsewhereNotes } from "./sent-elsewhere.ts";
import { createSlots } from "./slots.ts";
import { createSuspicion, type Suspicion } from "./suspicion.ts";
import { targetOf } from "./target.ts";
import { asBadRequest, refusals } from "../model/refusals.ts";

type Deps = Pick<
  RoomDeps,
  "store" | "clock" | "outbound" | "ownApi" | "keptBodies" | "log" | "audit" | "policy"
> & {
  readonly credentials: Pick<CredentialCache, "find">;
  readonly uses: Pick<ConnectionUse, "noteUse">;
  readonly check: CheckConnection;
};

/** How a call is refused before the provider has answered it. */
export const proxyRefuses: readonly RefusalKind[] = [
  refusals.invalid_headers,
  refusals.unknown_provider_config,
  asBadRequest.unknown_connection,
  refusals.unknown_provider_template,
  refusals.connection_failing,
  refusals.connection_busy,
  refusals.base_url_override_not_allowed,
  refusals.address_refused,
  refusals.provider_unavailable,
  refusals.unexpected_answer,
  refusals.method_not_allowed,
  refusals.body_too_large,
  refusals.busy,
];

/** @returns what writes the answer. @throws Refusal when the call may not be made */
export type CallProvider = (
  call: ProviderCall,
) => Promise<(response: ServerResponse, standing: Standing) => Promise<void>>;

/** Why there is no answer, in our words: whatever the provider says goes back as it is. */
const refusalOf = (fault: OutboundFault, isOverride: boolean): Refusal => {
  const details = { text: fault.message, cause: fault };
  switch (fault.kind) {
    case "address_refused":
      return new Refusal(
        isOverride ? refusals.base_url_override_not_allowed : refusals.address_refused,
        details,
      );
    case "too_many_redirects":
    case "too_large":
      return new Refusal(refusals.unexpected_answer, details);
    case "timeout":
    case "unreachable":
    case "broken":
      return new Refusal(refusals.provider_unavailable, details);
  }
};

/** What is noted of a call that has ended. @throws Refusal where the provider gave no answer */
const settle = (
  { log, suspicion }: Pick<Deps, "log"> & { readonly suspicion: Suspicion },
  call: AdmittedCall,
  { outcome, tried }: Delivered,
): void => {
  const { connection, incoming, target, asked } = call;
  const status = "status" in outcome ? outcome.status : undefined;
  if ((status === 401 || status === 403) && !target.elsewhere && sentOwn(call)) {
    suspicion.onRefused(connection.id);
  }
  const { requestId, method } = incoming;
  const facts = { requestId, method, connection: connection.id, status };
  if (outcome.ended === "cut") log.info("proxied_answer_cut", { ...facts, fault: outcome.fault });
  else log.debug("request_proxied", { ...facts, ended: outcome.ended, again: tried.times });
  if (outcome.ended === "failed") throw refusalOf(outcome.fault, asked.baseUrlOverride !== undefined);
};

/**
 * Makes a call with a connection's credentials, which the caller never sees, and streams the provider's answer back as it
 * is. Writes nothing to the database: when a connection was used is collected, and written from time to time.
 */
export const callProvider = (deps: Deps): CallProvider => {
  const suspicion = createSuspicion(deps);
  const slots = createSlots();
  const noteElsewhere = createElsewhereNotes(deps);

  const admit = async (call: ProviderCall): Promise<AdmittedCall> => {
    const { holder, asked, incoming } = call;
    const request = incoming.stream;
    const found = deps.credentials.find(holder.environment, asked.integrationKey, asked.connectionId);
    const connection = found instanceof Promise ? await found : found;
    if (connection.state === "failing") suspicion.onFailing(connection.id);
    const given = { ownOrigin: deps.policy.origin, holder, asked };
    const target = targetOf(given, connection, call.sent ?? request.url ?? "/");
    const head = forwardedHead(request.headers, asked, connection.parts.headers);
    const admitted = { ...call, connection, target, head };
    if (target.elsewhere) await noteElsewhere(admitted);
    return admitted;
  };

  return async (call) => {
    const admitted = await admit(call);
    return async (response, standing) => {
      const { id } = admitted.connection;
      slots.take(id);
      deps.uses.noteUse(id);
      try {
        const delivered = await deliverCall(deps, admitted, { response, standing });
        if (delivered) settle({ log: deps.log, suspicion }, admitted, delivered);
      } catch (error) {
        if (!response.headersSent && !response.destroyed) throw error;
        // Too late to tell anybody but the log; a part must not pass for the whole.
        response.destroy();
        deps.log.error("request_failed", { requestId: call.incoming.requestId, cause: error });
      } finally {
        slots.giveBack(id);
      }
    };
  };
};
