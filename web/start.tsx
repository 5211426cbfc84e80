// The build makes a style sheet of it, which the server links in the page's head.
// oxlint-disable-next-line import/no-unassigned-import
import "./style/index.css";
import { render, type ComponentType } from "preact";
import { facts } from "./facts.ts";
import { keepFocus } from "./ui/focus.ts";

/**
 * All tabs share one session. A page of one account must not go on once somebody has signed in to another in a tab
 * beside it: what it sends would reach that other account.
 */
const shareWhoIsSignedIn = (): void => {
  const own = facts.signedIn?.email;
  if (own === undefined) return;
  const channel = new BroadcastChannel("latchkey-account");
  channel.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    if (data !== own) location.reload();
  });
  // A channel never leaves its own origin.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  channel.postMessage(own);
};

/** Puts a page into the document. */
export const start = (Page: ComponentType): void => {
  // Going back to a page that the browser kept would show somebody who has signed out since.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  shareWhoIsSignedIn();
  keepFocus();
  render(<Page />, document.body);
};
