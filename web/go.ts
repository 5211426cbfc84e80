import { accountPages, places, type PageName } from "./places.generated.ts";

export type AccountPage = (typeof accountPages)[number];

/** The address of a page of ours. */
export const hrefTo = (page: PageName, query: Readonly<Record<string, string>> = {}): string => {
  const asked = new URLSearchParams(query).toString();
  return asked === "" ? places[page] : `${places[page]}?${asked}`;
};

/**
 * The page that `?next=` asks for. Whatever is not the path of one of our own, letter by letter, is passed over: a link
 * to our sign-in page must not lead anywhere else.
 */
export const nextPage = (search: string): AccountPage => {
  const asked = new URLSearchParams(search).get("next");
  return accountPages.find((page) => places[page] === asked) ?? "profile";
};

/** A page on the way there: who signs up instead of in still gets to where they wanted to go. */
export const onTheWay = (page: "log-in" | "sign-up", next: AccountPage): string =>
  hrefTo(page, next === "profile" ? {} : { next: hrefTo(next) });

/**
 * Goes there. What led away does not end before the page does: until then its button can't be pressed once more.
 */
export const leaveFor = (address: string): Promise<never> => {
  location.assign(address);
  return new Promise(() => undefined);
};

/** The sign-in, which leads back here. */
export const signInAddress = (): string => hrefTo("log-in", { next: location.pathname });

const codeForm = /^[0-9A-Za-z-]{1,64}$/;

/** The code that somebody typed. For what can't be one, and could mean something in a path, one that nobody has. */
export const typedCode = (text: string): string => (codeForm.test(text.trim()) ? text.trim() : "0");

/** The code behind the `#` of a mail's link. It leaves the address bar, so that no history or screenshot keeps it. */
export const takeCodeFromAddress = (): string => {
  // Opened where the page stands already, the link brings no new document, only another end of its address.
  addEventListener("hashchange", () => {
    if (location.hash !== "") location.reload();
  });
  const code = location.hash.slice(1);
  if (code !== "") history.replaceState(null, "", location.pathname + location.search);
  return codeForm.test(code) ? code : "";
};
