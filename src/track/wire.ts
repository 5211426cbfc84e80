import { plainVoice, plainWire, type Wire } from "../kernel/http/wire.ts";
import { quotaHeaders } from "./metering.ts";

const noAccess = "User does not have access to this resource.";

/** As Toggl says it. The codes are those of whoever authenticates. */
const sentences = { credentials_wrong: noAccess, session_not_current: noAccess };

/**
 * Toggl's API v9. Its standing headers are recorded (contract §2.1).
 * @param quota calls an hour of one account: a caller who is not known is told what a fresh hour has
 */
export const trackWire = (quota: number): Wire => ({
  ...plainWire,
  title: "Track",
  about: "Toggl Track's API v9, so far the account part: what you may reach.",
  roots: ["/api/v9/"],
  standing: {
    "cache-control": "no-cache, private, no-store, must-revalidate",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "strict-origin-when-cross-origin",
    "x-service-level": "GREEN",
    ...quotaHeaders({ remaining: quota, resetsInSeconds: 3600 }),
  },
  requestIdNames: ["x-request-id", "x-toggl-request-id"],
  cookiesFromElsewhere: { exposes: ["X-Toggl-Quota-Remaining", "X-Toggl-Quota-Resets-In"] },
  voice: plainVoice(sentences),
});
