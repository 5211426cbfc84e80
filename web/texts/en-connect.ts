/** Every text of the Connect form, in English. It is apart from the other pages', which the form does not load. */

export const enConnect = {
  close: "Close",
  back: "Back",
  waiting: "One moment…",
  linkAccount: (name: string) => `Link ${name}`,

  list: {
    title: "Link an account",
    lead: (app: string) => `Choose what ${app} may use.`,
    theApp: "the app",
    search: "Search",
    none: (text: string) => `Nothing here is called “${text}”.`,
    linked: "Linked",
    found: (count: number) => (count === 1 ? "1 found" : `${count} found`),
  },

  form: {
    lead: (app: string | null, name: string, person: string | null) =>
      `${app ?? "The app"} would like to use your ${name} account${person === null ? "" : ` for ${person}`}.`,
    again: (account: string) => `Linked so far: ${account}.`,
    how: "How would you like to do it?",
    recommended: "Recommended",
    optional: "optional",
    find: "Where is it?",
    findFor: (field: string) => `Where is it? ${field}: opens the guide in a new tab`,
    which: "Which one?",
    whichFor: (field: string) => `Which one? ${field}: opens the guide in a new tab`,
    guide: "Help with linking",
    guideNewTab: "Help with linking, opens in a new tab",
    show: "Show",
    hide: "Hide",
    showField: (field: string) => `Show: ${field}`,
    looksOther: (looksLike: string) => `Usually this is ${looksLike}. Is it all there?`,
    empty: (field: string) => `${field} is missing.`,
    choose: "Choose…",
    submit: (name: string) => `Link ${name}`,
    busy: "Checking…",
    checking: (name: string) => `Checking with ${name}…`,
    keptNote: (name: string) => `Checked with ${name}, then kept encrypted.`,
    swappedNote: "Only your API token is kept, encrypted.",
    nothingToEnter: "There is nothing to enter.",
  },

  /** By what became of a try: what happened, and what to do next. */
  outcomes: {
    connection_test_failed: {
      title: (name: string) => `${name} did not accept this`,
      text: "Check it and try again.",
    },
    token_not_available: {
      title: (name: string) => `${name} gave us no API token for this password`,
      text: "The password is right, but there is no token to link with. Choose API token above instead.",
    },
    provider_quota: {
      title: (name: string) => `${name} allows no more checks for now`,
      text: "This has nothing to do with what you typed. Try again later.",
    },
    provider_rate_limited: {
      title: (name: string) => `${name} is too busy to check this`,
      text: "This has nothing to do with what you typed. Try again in a moment.",
    },
    provider_unavailable: {
      title: (name: string) => `${name} does not answer`,
      text: "This is not your fault. Try again in a few minutes.",
    },
    unexpected_answer: {
      title: (name: string) => `${name} gave an answer that we don’t understand`,
      text: "This is not your fault. Try again later; if it stays like this, tell the app’s support.",
    },
    unexpected_at_address: {
      title: (name: string) => `${name} gave an answer that we don’t understand`,
      text: "Is the address above the right one? If it is, try again later, or tell the app’s support.",
    },
    address_refused: {
      title: () => "We can’t call this address",
      text: "Check the address above for a typing error.",
    },
    server_refused: {
      title: (name: string) => `We can’t reach ${name} from here`,
      text: "This is not your fault: the app is not set up for it yet. Please tell its support.",
    },
    link_used_up: {
      title: () => "Too many tries with this link",
      text: "Go back to the app and start linking again.",
    },
    too_many_request: {
      title: () => "Too many tries from your network",
      text: "Wait a little, then try again.",
    },
    unreachable: {
      title: () => "There is no connection to the server",
      text: "Check your internet connection and try again.",
    },
    invalid_body: {
      title: () => "Something is not right yet",
      text: "Look at what you typed.",
    },
    other: {
      title: () => "That did not work",
      text: "Try again in a moment.",
    },
  },
  tooLong: "This is too long. Paste only what is asked for here.",
  stillHere: "What you typed is still here.",
  wait: (time: string) => `You can try again in ${time}.`,
  waited: "You can try again now.",
  seconds: (count: number) => (count === 1 ? "1 second" : `${count} seconds`),
  minutes: (count: number) => (count === 1 ? "1 minute" : `${count} minutes`),

  another: {
    title: "This is a different account",
    before: "Linked until now",
    now: "What you just entered",
    lead: (app: string | null) =>
      app === null
        ? "If you go on, the app uses this account from now on."
        : `If you go on, ${app} uses this account from now on.`,
    confirm: "Use the new account",
    busy: "Checking…",
    back: "Go back",
    workspace: (name: string) => `workspace ${name}`,
    unnamed: "An account without a name",
  },

  linked: {
    title: (name: string) => `${name} is linked`,
    lead: (app: string | null) =>
      app === null ? "The app can use this account now." : `${app} can use this account now.`,
    name: "Name",
    email: "E-mail",
    workspace: "Workspace",
    account: "Account",
    finish: "Finish",
    backTo: (app: string | null) => (app === null ? "Back to the app" : `Back to ${app}`),
    tab: "You can close this tab now.",
  },

  over: {
    finished: {
      title: "This link has been used",
      text: "Your account has been linked with it already. Go back to the app to see it there, or to start again.",
    },
    unknown: {
      title: "This link is not valid any more",
      text: "Links work for a short time only. Go back to the app and start linking again.",
    },
    incomplete: {
      title: "This link is not complete",
      text: "Open the whole link, as the app gave it to you, or start linking again there.",
    },
    silent: {
      title: "The app did not answer",
      text: "It opened this form, but did not say for whom. Close the form and try again.",
    },
    origin: {
      title: "This page may not open the form",
      text: "The app that made this link has not listed the website that you are on. If it is your app, add its origin to the environment’s connect_origins.",
    },
    unreachable: {
      title: "There is no connection to the server",
      text: "Check your internet connection, then try again.",
      retry: "Try again",
      busy: "Trying…",
    },
    nothing: {
      title: "There is nothing to link yet",
      text: "The app has not set anything up. Please tell its support.",
    },
  },
} as const;
