import type { ServerResponse } from "node:http";
import type { HeadersOut } from "../../kernel/outbound/headers.ts";
import type { OutboundFault, PipeOptions, PipeOutcome } from "../../kernel/outbound/outbound.ts";
import type { RoomDeps } from "../deps.ts";
import type { AdmittedCall } from "./admitted-call.ts";
import { proxiedHead } from "./answer-head.ts";
import { notTried, waitAfter, waitAfterFault, waitUnlessLeft, type Tried } from "./retry.ts";
import { bodyOf, sendCall, type Body } from "./send-call.ts";

/** How a call ended, and how often it had been made before. */
export type Delivered = { readonly outcome: PipeOutcome; readonly tried: Tried };

export type Standing = Readonly<Record<string, string>>;

const isOfNetwork = ({ kind }: OutboundFault): boolean =>
  kind === "timeout" || kind === "unreachable" || kind === "broken";

type Deps = Pick<RoomDeps, "clock" | "outbound" | "ownApi" | "keptBodies">;

type Back = { readonly response: ServerResponse; readonly standing: Standing };

/**
 * Makes the call, as often as its caller wants it tried, and streams the answer that goes back.
 *
 * @param back where the answer goes, and headers of every answer of this server
 * @returns undefined when the client left while it waited for another try
 */
export const deliverCall = async (
  deps: Deps,
  call: AdmittedCall,
  back: Back,
): Promise<Delivered | undefined> => {
  const share = deps.keptBodies.open();
  try {
    return await deliver(deps, call, back, await bodyOf(call, share));
  } finally {
    share.free();
  }
};

const deliver = async (
  deps: Deps,
  call: AdmittedCall,
  { response, standing }: Back,
  body: Body | "left",
): Promise<Delivered | undefined> => {
  const { asked } = call;
  const { provider } = call.connection;
  if (body === "left") return { outcome: { ended: "left" }, tried: notTried };
  // What is a stream is gone after the first try.
  const canRepeat = body === undefined || Buffer.isBuffer(body);
  // Each try listens for the client's leaving.
  if (asked.retries > 0) response.setMaxListeners(2 * asked.retries + response.getMaxListeners());
  let tried = notTried;
  let waitMs: number | undefined;
  const options: PipeOptions = {
    decompress: asked.decompress,
    head: (status: number, headers: HeadersOut) => {
      waitMs = canRepeat
        ? waitAfter({ provider, asked, now: deps.clock.now() }, tried, { status, headers })
        : undefined;
      return waitMs === undefined ? proxiedHead(headers, standing) : undefined;
    },
  };
  for (;;) {
    const outcome = await sendCall(deps, { call, body }, { response, options });
    if (outcome.ended === "failed" && canRepeat && isOfNetwork(outcome.fault)) {
      waitMs = waitAfterFault(asked, tried);
    } else if (outcome.ended !== "kept") waitMs = undefined;
    if (waitMs === undefined) return { outcome, tried };
    if (!(await waitUnlessLeft(waitMs, response))) return undefined;
    tried = { times: tried.times + 1, waitedMs: tried.waitedMs + waitMs };
  }
};
