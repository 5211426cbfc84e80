/** Every text of the page to try Connect on, in English. */

export const enDemo = {
  title: "Try Connect",
  lead: "Link the account that you have here, as the people of an app would, and see what the app gets to use. This page is there on your own machine only.",

  token: {
    title: "1. Take your API token",
    lead: "The form asks for it, or for your email and password.",
    name: "API token",
    page: "See it on its own page",
    pageNewTab: "See it on its own page, opens in a new tab",
    notShown:
      "This server shows a token only when it is made. If you don’t have it, use your email and password.",
    none: "You have no API token at the moment. Make one on its page, or use your email and password.",
  },

  link: {
    title: "2. Link your account",
    lead: "This opens the form as an app’s page would, with a connect session for the integration latchkey of the environment dev.",
    open: "Open the form",
    opening: "Opening…",
    form: "Link an account",
    name: "Name",
    email: "Email",
    workspace: "Workspace",
    connection: "Connection",
    state: "State",
    states: { live: "Works", failing: "Fails", revoked: "Revoked" },
    again: "Link anew",
    unlink: "Unlink",
    unlinking: "Unlinking…",
    linked: "The account is linked.",
    unlinked: "Unlinked. The credentials are gone from this server’s vault.",
  },

  call: {
    title: "3. Call through the proxy",
    lead: "Latchkey adds the credentials, and the app sees the answer only.",
    first: "Link your account first.",
    answer: (status: number) => `Answer of /api/v9/me, with status ${status}`,
    again: "Call again",
    calling: "Calling…",
    refused:
      "The API does not take the credentials any more. Link the account anew, with the token that it has now.",
    refusals: {
      connection_failing:
        "The credentials are known not to work, so the API was not asked. Link the account anew, with the token that it has now.",
    },
    curlLead: "An app asks like this, with a key of its environment:",
    keyLine: "line that makes a key",
    key: "KEY=$(npm run -s latchkey -- environment key dev)",
    curlLine: "curl line of an app",
    hidden: "not shown here",
  },

  absent: {
    title: "There is nothing to try here",
    lead: "The integration latchkey of the environment dev was taken away. This makes it again:",
    what: "command",
    command: "npm run -s latchkey -- integration create latchkey --provider latchkey",
  },
} as const;
