import { call, Refused } from "./api.ts";

/** Whether it says that nobody is signed in: any more, where the page began with somebody. */
export const isSignedOut = (error: unknown): boolean =>
  error instanceof Refused && (error.code === "credentials_missing" || error.code === "session_not_current");

/**
 * Whether the browser sends back the session cookie that it was just given. Without it the next page would only show
 * the sign-in again, and nobody would know why.
 */
export const isCookieKept = async (): Promise<boolean> => {
  try {
    await call("GET /api/sessions", {});
    return true;
  } catch (error) {
    // The cookie that comes back may also be an older one. Whatever else went wrong, the next page will tell.
    return !isSignedOut(error);
  }
};
