import type { MailMessage } from "../../kernel/mail/message.ts";
import type { AccountLinks } from "../deps.ts";

/**
 * The mails of this room, as data. Each says what happened, what to do, and what to do if it was not you.
 * Links are built from the configured origin only, and a code stands alone on a line, for those who type it.
 */

type Paragraph = { readonly text: string } | { readonly code: string } | { readonly link: string };

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escapeHtml = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => escapes[character] ?? "");

const asText = (paragraph: Paragraph): string => {
  if ("text" in paragraph) return paragraph.text;
  return "code" in paragraph ? paragraph.code : paragraph.link;
};

const asHtml = (paragraph: Paragraph): string => {
  if ("text" in paragraph) return `<p>${escapeHtml(paragraph.text)}</p>`;
  if ("code" in paragraph) {
    return `<p style="font:20px ui-monospace,monospace;letter-spacing:1px">${escapeHtml(paragraph.code)}</p>`;
  }
  const link = escapeHtml(paragraph.link);
  return `<p><a href="${link}">${link}</a></p>`;
};

const compose = (to: string, subject: string, paragraphs: readonly Paragraph[]): MailMessage => ({
  to,
  subject,
  text: `${paragraphs.map(asText).join("\n\n")}\n`,
  html: [
    '<!doctype html><html lang="en"><meta charset="utf-8">',
    `<title>${escapeHtml(subject)}</title>`,
    '<body style="font:16px/1.5 system-ui,sans-serif;max-width:36em;margin:2em auto;padding:0 1em">',
    ...paragraphs.map(asHtml),
    "</body></html>\n",
  ].join("\n"),
});

const dateOf = (at: number): string =>
  new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short", timeZone: "UTC" }).format(at) +
  " UTC";

export const verifyEmailMail = (to: string, links: AccountLinks, code: string): MailMessage =>
  compose(to, "Confirm your e-mail address", [
    { text: `An account was made with this address at ${links.origin}. Confirm that the address is yours:` },
    { link: `${links.verify}#${code}` },
    { text: "Or enter this code:" },
    { code },
    { text: "Or from a terminal:" },
    { text: `curl -X POST ${links.origin}/api/me/email_verification/confirm/${code}` },
    { text: "It is valid for three days. If you did not sign up, ignore this mail." },
  ]);

/** For an address that an account has been moved to already, and whose owner nobody has heard of yet. */
export const verifyMovedMail = (to: string, links: AccountLinks, code: string): MailMessage =>
  compose(to, "Confirm your e-mail address", [
    { text: `An account at ${links.origin} was moved to this address. Confirm that the address is yours:` },
    { link: `${links.verify}#${code}` },
    { text: "Or enter this code:" },
    { code },
    { text: "Or from a terminal:" },
    { text: `curl -X POST ${links.origin}/api/me/email_verification/confirm/${code}` },
    { text: "It is valid for three days. If you know nothing of such an account, ignore this mail." },
  ]);

/** @param tried what somebody wanted of the address: "sign up with it" */
export const addressTakenMail = (to: string, { origin }: AccountLinks, tried: string): MailMessage =>
  compose(to, "You already have an account", [
    {
      text: `This address has an account at ${origin} already, and somebody, perhaps you, tried to ${tried}.`,
    },
    {
      text: "Sign in as usual, or reset the password if it is lost. If it was not you, nothing needs to be done.",
    },
  ]);

export const resetMail = (to: string, links: AccountLinks, code: string): MailMessage =>
  compose(to, "Reset your password", [
    { text: `A new password was requested for your account at ${links.origin}. Choose it here:` },
    { link: `${links.reset}#${code}` },
    { text: "Or enter this code:" },
    { code },
    { text: "Or from a terminal, with a password of your choice:" },
    {
      text: `curl -X POST ${links.origin}/api/me/password_reset/confirm/${code} -H 'Content-Type: application/json' -d '{"password":"…"}'`,
    },
    {
      text: "It is valid for 30 minutes and works once. If you did not ask for it, ignore this mail: nothing has changed.",
    },
  ]);

/** What the owner of an account does about what somebody else did to it. */
const resetAtOnce = (links: AccountLinks, otherwise: string): readonly Paragraph[] => [
  { text: otherwise },
  { link: links.forgot },
  { text: "Or from a terminal, with your address:" },
  {
    text: `curl ${links.origin}/api/me/password_reset/request -H 'Content-Type: application/json' -d '{"email":"…"}'`,
  },
];

export const passwordChangedMail = (to: string, links: AccountLinks, at: number): MailMessage =>
  compose(to, "Your password was changed", [
    {
      text: `The password of your account at ${links.origin} was changed on ${dateOf(at)}. All other sessions were ended.`,
    },
    ...resetAtOnce(links, "If this was not you, reset the password at once:"),
  ]);

const newTokenAt = (links: AccountLinks): readonly Paragraph[] => [
  { text: "Programs and apps that used the former token need the new one. You find it here:" },
  { link: links.tokens },
];

type Token = { readonly tokenReplaced: boolean };

export const passwordResetMail = (
  to: string,
  links: AccountLinks,
  at: number,
  { tokenReplaced }: Token,
): MailMessage =>
  compose(to, "Your password was changed", [
    {
      text: `The password of your account at ${links.origin} was reset on ${dateOf(at)}, with a code from a mail to this address. All other sessions were ended${tokenReplaced ? ", and the API token was replaced" : ""}.`,
    },
    ...(tokenReplaced ? newTokenAt(links) : []),
    ...resetAtOnce(links, "If this was not you, reset the password at once:"),
  ]);

export const accountTakenBackMail = (
  to: string,
  links: AccountLinks,
  at: number,
  { tokenReplaced }: Token,
): MailMessage =>
  compose(to, "Your account was taken back", [
    {
      text: `Your account at ${links.origin} was closed, and was taken back on ${dateOf(at)} with a code from a mail to this address. It has a new password${tokenReplaced ? ", and the API token was replaced" : ""}.`,
    },
    ...(tokenReplaced ? newTokenAt(links) : []),
    ...resetAtOnce(links, "If this was not you, reset the password at once:"),
  ]);

const waysToReplaceToken = {
  session: "from a browser that is signed in",
  password: "with your email address and password",
  token: "with the former token itself",
  cli: "by the people who run the server",
  first_proof:
    "because this address was confirmed for the first time, by somebody who was not signed in: whoever had the account until then may not have been you. All sessions were ended too",
} as const;

export const tokenReplacedMail = (
  to: string,
  links: AccountLinks,
  at: number,
  how: keyof typeof waysToReplaceToken,
): MailMessage =>
  compose(to, "Your API token was replaced", [
    {
      text: `The API token of your account at ${links.origin} was replaced on ${dateOf(at)}, ${waysToReplaceToken[how]}. The former token no longer works.`,
    },
    ...newTokenAt(links),
    ...resetAtOnce(
      links,
      how === "first_proof"
        ? "If it was not you who chose the password of this account, reset it at once:"
        : "If this was not you, reset the password at once, which replaces the token again and ends all sessions:",
    ),
  ]);

/** Goes to the new address: who has the code reads its mails. */
export const confirmChangeMail = (to: string, links: AccountLinks, code: string): MailMessage =>
  compose(to, "Confirm your new e-mail address", [
    {
      text: `An account at ${links.origin} is to be moved to this address. Confirm that the address is yours:`,
    },
    { link: `${links.verify}#${code}` },
    { text: "Or enter this code:" },
    { code },
    { text: "Or from a terminal:" },
    { text: `curl -X POST ${links.origin}/api/me/email_verification/confirm/${code}` },
    { text: "It is valid for a day. If you did not ask for it, ignore this mail: nothing has changed." },
  ]);

/** Goes to the address that the account has, so that its owner can stop what they did not ask for. */
export const changeRequestedMail = (to: string, links: AccountLinks, at: number): MailMessage =>
  compose(to, "A new e-mail address was asked for", [
    {
      text: `On ${dateOf(at)} somebody who knows the password asked to move your account at ${links.origin} from this address to another. Nothing changes until the mail to the new address is confirmed.`,
    },
    ...resetAtOnce(links, "If this was not you, reset the password at once, which stops the change too:"),
  ]);

export const emailChangedMail = (to: string, { origin }: AccountLinks, at: number): MailMessage =>
  compose(to, "Your e-mail address was changed", [
    { text: `Your account at ${origin} was moved from this address to another on ${dateOf(at)}.` },
    { text: "If this was not you, tell the people who run the server." },
  ]);

export const accountClosedMail = (
  to: string,
  links: AccountLinks,
  code: string,
  until: number,
): MailMessage =>
  compose(to, "Your account was closed", [
    {
      text: `Your account at ${links.origin} was closed, and none of its passwords, tokens and sessions works any more.`,
    },
    { text: `Until ${dateOf(until)} you can take it back:` },
    { link: `${links.undoClose}#${code}` },
    { text: "Or enter this code:" },
    { code },
    { text: "Or from a terminal, with a new password of your choice:" },
    {
      text: `curl -X POST ${links.origin}/api/me/close_account/undo/${code} -H 'Content-Type: application/json' -d '{"password":"…"}'`,
    },
    {
      text: "You choose a new password then, and the API token is replaced: whoever closed the account does not get into it again.",
    },
    { text: "After that day the account and everything in it is erased." },
  ]);

export const accountErasedMail = (to: string, { origin }: AccountLinks): MailMessage =>
  compose(to, "Your account was erased", [
    { text: `Your account at ${origin} was closed, and it and everything in it has been erased.` },
  ]);
