import { enAccount } from "./en-account.ts";

/** Every text that the pages say, in English. Sentences that vary are functions. */

const seconds = (count: number): string => {
  if (count < 90) return count === 1 ? "1 second" : `${count} seconds`;
  return `${Math.ceil(count / 60)} minutes`;
};

export const en = {
  ...enAccount,
  name: "Latchkey",

  /** Of the browser's tab. */
  titles: {
    home: "Latchkey",
    "sign-up": "Sign up",
    "log-in": "Sign in",
    forgot: "Forgot password",
    reset: "New password",
    verify: "Confirm email",
    "undo-close": "Take account back",
    profile: "Profile",
    tokens: "API token",
    sessions: "Sessions",
    close: "Close account",
    mail: "Mails",
    connect: "Link an account",
    demo: "Try Connect",
  },

  field: {
    email: "Email",
    password: "Password",
    newPassword: "New password",
    currentPassword: "Current password",
    name: "Name",
    timezone: "Time zone",
    code: "Code",
    show: "Show",
    hide: "Hide",
    showPassword: "Show password",
    remember: "Stay signed in for 28 days",
    passwordHint: (minimum: number) =>
      `At least ${minimum} characters. Several words are easier to remember than symbols.`,
    codeFilled: "Filled in from the link in your mail.",
    codeHint: "26 letters and digits, from the mail. Hyphens and capitals don’t matter.",
  },

  /** What is said beside a field that was left empty. */
  required: {
    email: "Enter your email address.",
    password: "Enter a password.",
    current_password: "Enter your current password.",
    code: "Enter the code from the mail.",
    fullname: "Enter a name.",
    tos: "Tick the box to go on.",
  },

  /** By `field.rule`, or by the rule alone. Others are told in the server's own words. */
  rules: {
    required: "This is needed.",
    "email.format": "Enter an address like name@example.com.",
    "email.local_part": "Before the @, only plain letters, digits and .!#$%&'*+/=?^_`{|}~- work here.",
    "email.domain": "The part after the @ is not the name of a mail domain.",
    "email.too_long": "This address is too long.",
    "email.taken": "There is already an account with this address. Sign in instead?",
    "email.same": "This is your address already.",
    "password.too_long": "A password has at most 1,024 characters.",
    "password.common": "Too many people use this password, so it is among the first that others try.",
    "password.from_email": "Choose a password that is not made from your address.",
    "password.from_name": "Choose a password that is not made from your name.",
    "password.from_service": "Choose a password that is not made from the name of this service.",
    "password.reserved": "This word has a meaning of its own in the API. Choose another.",
    "password.not_text": "This password has characters that can’t be stored.",
    "keep_token.unproved":
      "This address is confirmed for the first time with this, so the token may be somebody else’s and is replaced. Untick the box to go on.",
    "current_password.wrong": "This is not your current password.",
    "display_name.too_long": "A name has at most 255 characters.",
    "display_name.characters": "A name is one line of text, without invisible characters.",
    "fullname.invalid": "A name is one line of at most 255 characters, without invisible ones.",
  },

  /** By code. Others are told in the server's own words. */
  refusals: {
    credentials_wrong: "Wrong email or password. Check both, or reset the password.",
    credentials_missing: "You are signed out. Sign in again.",
    session_not_current: "Your session has ended. Sign in again.",
    email_unverified: "Confirm your email address first: open the link in the mail that we sent you.",
    code_refused: "This code is not valid, or not any more. Ask for a new one.",
    login_throttled: "Too many wrong passwords for this address. Wait a little, or reset the password.",
    sign_up_throttled: "There were too many sign-ups from your network. Try again later.",
    mail_throttled: "There were too many mails to this address. Try again later.",
    code_throttled: "There were too many tries from your network. Try again later.",
    rate_limited: "That was too much at once. Try again in a moment.",
    cross_site: "This page is not at the address of the server, so it can’t use your session.",
    internal: "Something went wrong on the server. What you typed is still here; try again.",
    busy: "The server is busy. What you typed is still here; try again in a moment.",
    store_unavailable:
      "The server can’t reach its database. What you typed is still here; try again in a moment.",
  },

  trouble: {
    unreachable:
      "There is no answer from the server. What you typed is still here; check your connection and try again.",
    wait: (count: number) => `You can try again in ${seconds(count)}.`,
    waited: "You can try again now.",
    request: (id: string) => `Request ${id}`,
    retry: "Try again",
    notLoaded: "This could not be loaded.",
  },

  copy: {
    copy: "Copy",
    copied: "Copied",
    failed: "Not copied",
    said: {
      copied: (what: string) => `Copied: ${what}`,
      failed: (what: string) => `Could not copy: ${what}. Select it and copy it by hand.`,
    },
  },

  home: {
    title: "One account, and the keys to it",
    lead: "Latchkey keeps your account, and opens the API behind it: sign in here in the browser, and give your programs an API token.",
    signUp: "Sign up",
    signIn: "Sign in",
    toAccount: "To your account",
    signedInAs: (email: string) => `You are signed in as ${email}.`,
    points: [
      ["Your account", "Your email, your password, and every place where you are signed in."],
      ["Your API token", "One token for your programs. You can replace it without touching your password."],
      ["The API", "The same calls as Toggl Track’s, on this server: the clients that you know work here."],
    ],
    tryIt: "Try it in a terminal",
    withEmail: "curl line with email and password",
    withToken: "curl line with API token",
    documents: "Documentation",
    mails: "Mails of this server",
    demo: "Try Connect with this account",
  },

  signUp: {
    title: "Sign up",
    lead: "One account for this server and its API.",
    submit: "Create account",
    busy: "Creating the account…",
    nameHint: "Optional. Left empty, it is the part of your address before the @.",
    tos: "I accept the terms of use of this server",
    haveOne: "Already have an account?",
    signIn: "Sign in",
    checkTitle: "Check your mail",
    check: (email: string) =>
      `We sent a mail to ${email}. Open the link in it to confirm the address; then you can sign in.`,
    checkNothing: "Nothing there? Look in the spam folder, or ask for another mail.",
    again: "Send another one",
    sentAgain: "If the address can be confirmed, another mail is on its way.",
  },

  signIn: {
    title: "Sign in",
    next: "Sign in to go on.",
    submit: "Sign in",
    busy: "Signing in…",
    forgot: "Forgot password?",
    unverified:
      "New here? The address has to be confirmed before the first sign-in, by the link in our mail.",
    noneYet: "No account yet?",
    signUp: "Sign up",
    alreadyTitle: "You are signed in",
    already: (email: string) => `As ${email}.`,
    goOn: "Continue",
    noCookieTitle: "Your browser did not keep the session",
    noCookie:
      "What you entered was right, but the session cookie did not come back, so the next page would not know you. These are the usual reasons:",
    noCookieReasons: (origin: string) => [
      `This page must be opened at ${origin}, exactly.`,
      "Cookies are blocked for this site, in the settings or by an extension.",
      "Safari keeps no secure cookies on http://localhost. Use another browser there, or serve over https.",
    ],
    noCookieRetry: "Try again",
  },

  forgot: {
    title: "Forgot your password?",
    lead: "We mail you a code, with which you choose a new one.",
    submit: "Send the code",
    busy: "Sending…",
    sentTitle: "Check your mail",
    sent: (email: string) =>
      `If there is an account for ${email}, a code is on its way. It is good for 30 minutes and works once.`,
    nothing:
      "Nothing there? Look in the spam folder, and check that this is the address of your account. An address gets a few such mails an hour at most: if one came before, its code may still be good.",
    enter: "Enter the code",
    otherAddress: "Use another address",
    remembered: "Remember your password?",
    signIn: "Sign in",
    openMails: "Open the mails of this server",
  },

  reset: {
    title: "Choose a new password",
    lead: "You will be signed in here, and signed out everywhere else.",
    keepToken:
      "Keep my API token. Programs that have it go on working. So does somebody who got hold of it: leave this empty if you are not sure. Without it, the token is replaced.",
    submit: "Set the password",
    busy: "Setting the password…",
    noCode: "No code yet, or is it too old?",
    ask: "Ask for one",
  },

  verify: {
    title: "Confirm your email address",
    lead: "So that we know that mails to this address reach you.",
    submit: "Confirm",
    busy: "Confirming…",
    doneTitle: "Your address is confirmed",
    done: (email: string) => `Mails go to ${email}.`,
    tokenReplaced:
      "You confirmed without being signed in, so everything that opened this account before has ended: every session, and the API token, which was replaced. Programs that used it need the new one.",
    notYourPassword: "Is the password of this account not one that you chose?",
    resetIt: "Reset it now",
    toAccount: "To your account",
    toSignIn: "Sign in",
    noCode: "Is the code too old, or the mail lost?",
    signInForOne: "Sign in to get another",
  },

  undoClose: {
    title: "Take your account back",
    lead: "The mail about closing your account has a code in it. Choose a new password with it: whoever closed the account must not get in again.",
    submit: "Take it back",
    busy: "Taking it back…",
    refused: "This code is not valid, or not any more. Use the one in the mail about closing your account.",
    doneTitle: "Your account is yours again",
    done: "Sign in with the new password. All sessions have ended.",
    doneToken:
      "Sign in with the new password. All sessions have ended, and the API token was replaced: programs that used it need the new one.",
    signIn: "Sign in",
  },

  mail: {
    title: "Mails",
    lead: "No mail server is set up, so the mails of this server are kept here. They can be read on this machine only.",
    none: "No mails yet. Sign up, or ask for a password reset.",
    to: (address: string) => `to ${address}`,
    reload: "Look again",
  },
} as const;
