// The build makes a style sheet of it, which the server links in the page's head.
// oxlint-disable-next-line import/no-unassigned-import
import "./style/index.css";
import { render, type ComponentType } from "preact";
import { keepFocus } from "./ui/focus.ts";

/** Puts a page into the document. */
export const start = (Page: ComponentType): void => {
  // Going back to a page that the browser kept would show somebody who has signed out since.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  keepFocus();
  render(<Page />, document.body);
};
