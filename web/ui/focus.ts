/** The heading of the part of the page that an element is in: a section's own, or the page's. */
const headingFor = (section: Element | null | undefined): HTMLElement | null =>
  (section?.isConnected ? section.querySelector<HTMLElement>("h2") : null) ??
  document.querySelector<HTMLElement>("main h1");

/**
 * When what has the focus goes away, because its form has become an answer or its row has ended, the heading of what
 * stands there now takes the focus: the next Tab goes on there, and screen readers say what is new.
 */
export const keepFocus = (): void => {
  let last: Element | undefined;
  let section: Element | null | undefined;
  addEventListener("focusin", ({ target }) => {
    if (!(target instanceof Element)) return;
    last = target;
    section = target.closest("section");
  });
  new MutationObserver(() => {
    if (!last || last.isConnected || document.activeElement !== document.body) return;
    const heading = headingFor(section);
    if (!heading) return;
    heading.tabIndex = -1;
    heading.focus();
  }).observe(document.body, { childList: true, subtree: true });
};
