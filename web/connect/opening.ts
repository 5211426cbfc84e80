/**
 * How somebody came to the form: as a link, whose token stands behind the `#`, or in a frame of an app's page, which
 * hands the token in (contract nango §1.12).
 */

export type Opening =
  | { readonly how: "link"; readonly token: string }
  /** `opener` is the origin of the page around the frame, and the only one that is ever answered. */
  | { readonly how: "frame"; readonly token: string; readonly opener: string }
  /** `later`: what comes of an app's page that takes longer than people like to wait. */
  | { readonly how: "incomplete"; readonly later?: Promise<Opening> };

/** So long an app's page has to hand in the token: it may still be asking its server for one. */
const patienceMs = 10_000;

/** What has another form is no token, and not sent anywhere as one. */
export const isToken = (text: string): boolean => /^nango_connect_session_[0-9a-f]{64}$/.test(text);

export const isFramed = window.parent !== window;

const kept = (): string | undefined => {
  const state: unknown = history.state;
  if (typeof state !== "object" || state === null || !("sessionToken" in state)) return undefined;
  return typeof state.sessionToken === "string" ? state.sessionToken : undefined;
};

/**
 * The token leaves the address bar, where screenshots and shared addresses would give it away. It stays with this entry
 * of the tab's history, so that a reload goes on.
 */
const takeFromAddress = (): string | undefined => {
  // Another link that is opened where the form stands already brings no new document.
  addEventListener("hashchange", () => {
    if (location.hash !== "") location.reload();
  });
  const behindHash = new URLSearchParams(location.hash.slice(1)).get("session_token");
  const query = new URLSearchParams(location.search);
  const token = behindHash ?? query.get("session_token") ?? kept();
  query.delete("session_token");
  const search = query.toString();
  history.replaceState(
    token === undefined ? null : { sessionToken: token },
    "",
    location.pathname + (search === "" ? "" : `?${search}`),
  );
  return token;
};

const sentToken = (data: unknown): string | undefined => {
  if (typeof data !== "object" || data === null) return undefined;
  const { type, sessionToken }: { type?: unknown; sessionToken?: unknown } = data;
  return type === "session_token" && typeof sessionToken === "string" ? sessionToken : undefined;
};

/** The first page that hands in a token is the opener; nobody is heard after it. */
const waitForToken = (): Promise<Opening> => {
  const handedIn = new Promise<Opening>((resolve) => {
    const hear = ({ data, origin, source }: MessageEvent<unknown>): void => {
      const token = sentToken(data);
      // Without an origin there is nobody to answer: a page from a file, or in a sandbox.
      if (token === undefined || source !== window.parent || origin === "null") return;
      removeEventListener("message", hear);
      resolve({ how: "frame", token, opener: origin });
    };
    addEventListener("message", hear);
  });
  const overdue = new Promise<Opening>((resolve) => {
    setTimeout(() => resolve({ how: "incomplete", later: handedIn }), patienceMs);
  });
  // Whoever frames the form may hear that it is there, and nothing else.
  window.parent.postMessage({ type: "ready" }, "*");
  return Promise.race([handedIn, overdue]);
};

export const findOpening = async (): Promise<Opening> => {
  if (isFramed) return waitForToken();
  const token = takeFromAddress();
  return token !== undefined && isToken(token) ? { how: "link", token } : { how: "incomplete" };
};
