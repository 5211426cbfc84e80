import {
  OutboundFault,
  type Asker,
  type CallAnswer,
  type CallRequest,
} from "../../kernel/outbound/outbound.ts";
import { Refusal, type RefusalKind } from "../../kernel/errors.ts";
import type { Texts } from "../catalogue/check-fields.ts";
import { judgeAnswer, swappedFor, type Verdict } from "../catalogue/judge-answer.ts";
import { inProcess, type Outcome, type Shape } from "../catalogue/model/provider.ts";
import { verificationRequestOf, type PreparedRequest } from "../catalogue/request-parts.ts";
import type { Integration, ProviderAccount } from "../model/connection.ts";
import type { ConnectDeps } from "../deps.ts";
import { refusals } from "../model/refusals.ts";
import { holdBack, refuseTooSoon } from "./provider-wait.ts";

/** Credentials that the provider has accepted, as they are to be kept. */
export type Verified = {
  readonly shape: string;
  readonly credentials: Texts;
  /** Whose they are; null where the provider has no call that tells. */
  readonly account: ProviderAccount | null;
  /** Where they were accepted, and may be sent again. */
  readonly origin: string;
};

export type Unverified = {
  /** Made of the credentials. */
  readonly prepared: PreparedRequest;
  readonly shape: Shape;
  readonly integration: Pick<Integration, "id">;
  /** The pair itself is kept, and not what it can be swapped for. */
  readonly keepPassword: boolean;
  /** The address of whoever wants to know; left out when nobody asked. */
  readonly from?: string | undefined;
  /** Whom the provider's name is looked up for: nobody's slow names are to hold up the others'. */
  readonly asker: Asker;
};

/** One code for each outcome: what the person is told, and what the app can tell apart. */
const refusalOf: Readonly<Record<Exclude<Outcome, "accepted">, RefusalKind>> = {
  wrong_credentials: refusals.connection_test_failed,
  quota: refusals.provider_quota,
  rate_limited: refusals.provider_rate_limited,
  unavailable: refusals.provider_unavailable,
  unexpected: refusals.unexpected_answer,
};

const refused = ({
  outcome,
  waitSeconds,
  says,
}: Exclude<Verdict, { readonly outcome: "accepted" }>): Refusal =>
  new Refusal(refusalOf[outcome], {
    ...(says === undefined ? {} : { text: says }),
    ...(waitSeconds === undefined ? {} : { retryAfter: waitSeconds }),
  });

/** A provider that can't be reached is nobody's fault here; an address that may not be called is the operator's or app's. */
const refuseFault = (error: unknown): never => {
  if (!(error instanceof OutboundFault)) throw error;
  switch (error.kind) {
    case "address_refused":
      throw new Refusal(refusals.address_refused, { cause: error });
    case "timeout":
    case "unreachable":
    case "broken":
      throw new Refusal(refusals.provider_unavailable, { cause: error });
    case "too_large":
    case "too_many_redirects":
      throw new Refusal(refusals.unexpected_answer, { cause: error });
  }
};

/** How a call is refused on whose way the provider is asked, besides what is wrong with the fields. */
export const verificationRefuses: readonly RefusalKind[] = [
  ...Object.values(refusalOf),
  refusals.token_not_available,
  refusals.address_refused,
  refusals.unknown_provider_template,
];

type Deps = Pick<ConnectDeps, "store" | "outbound" | "ownApi" | "clock">;

/** The provider `latchkey` is this server: asked in this process, past the network. */
const ask = async (
  deps: Deps,
  request: CallRequest,
  { from, asker }: Pick<Unverified, "from" | "asker">,
): Promise<Pick<CallAnswer, "status" | "headers" | "body">> => {
  try {
    return request.url.protocol === inProcess
      ? await deps.ownApi({
          from,
          method: request.method,
          path: request.url.pathname + request.url.search,
          headers: request.headers ?? {},
        })
      : await deps.outbound.call({ ...request, asker });
  } catch (error) {
    return refuseFault(error);
  }
};

/**
 * Asks the provider whose credentials these are, unless it wants to be left alone. An e-mail address and a password that
 * can be swapped for an API token are used for this one call, and the token is what comes back to be kept.
 *
 * @throws Refusal connection_test_failed, provider_quota, provider_rate_limited, provider_unavailable,
 * unexpected_answer, address_refused, token_not_available, input_invalid
 */
export const verifyCredentials =
  (deps: Deps) =>
  async ({ prepared, shape, integration, keepPassword, from, asker }: Unverified): Promise<Verified> => {
    const { provider, origin } = prepared;
    const { credentials } = prepared.values;
    const request = verificationRequestOf(prepared);
    if (!request) return { shape: shape.name, credentials, account: null, origin };
    const asked = { integrationId: integration.id, origin: request.url.origin };
    // This server itself counts by the caller's network: that one waits, and nobody else.
    const isElsewhere = request.url.protocol !== inProcess;
    if (isElsewhere) await refuseTooSoon(deps, asked);
    const answer = await ask(deps, request, { from, asker });
    const verdict = judgeAnswer(provider, answer, deps.clock.now());
    if (isElsewhere) await holdBack(deps, asked, verdict);
    if (verdict.outcome !== "accepted") throw refused(verdict);
    const { account } = verdict;
    if (!shape.swap || keepPassword) return { shape: shape.name, credentials, account, origin };
    const swapped = swappedFor(provider, shape, answer.body);
    if (!swapped) throw new Refusal(refusals.token_not_available);
    return { shape: swapped.shape.name, credentials: swapped.credentials, account, origin };
  };
