const isStop = (element: HTMLElement): boolean =>
  element.getClientRects().length > 0 &&
  // Of the radio buttons of a group, Tab stops at one.
  !(element instanceof HTMLInputElement && element.type === "radio" && !element.checked);

const stops = (): readonly HTMLElement[] =>
  [...document.querySelectorAll<HTMLElement>("a[href], button, input, select")].filter(isStop);

/**
 * In a frame the form lies over the app's page: Tab goes round within it, as in any dialog, and Escape leads out. Behind
 * its last field stands nothing that could be seen.
 */
export const keepTabInside = (): void => {
  addEventListener("keydown", (event) => {
    if (event.key !== "Tab" || event.altKey || event.ctrlKey || event.metaKey) return;
    const all = stops();
    const [from, to] = event.shiftKey ? [all.at(0), all.at(-1)] : [all.at(-1), all.at(0)];
    // The heading, which takes the focus when a step begins, stands before the first.
    const isAtEnd =
      document.activeElement === from || (event.shiftKey && document.activeElement?.tagName === "H1");
    if (!isAtEnd || !to) return;
    event.preventDefault();
    to.focus();
  });
};
