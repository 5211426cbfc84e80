import { refusalKinds, refusals as anyServers } from "../kernel/errors.ts";

/** What this room refuses, beyond what any server does. */
export const trackRefusals = refusalKinds({
  already_stopped: { status: 409, text: "Time entry already stopped" },
  quota_exceeded: { status: 402, text: "The hourly quota of this account is used up" },
});

/** All that this room refuses with. */
export const refusals = { ...anyServers, ...trackRefusals };
