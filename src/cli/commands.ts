import { places } from "#app/pages/places.ts";
import { command, type Command } from "./command.ts";

/**
 * Every command there is. Help and docs/reference/cli.md are made from this table; what a command needs is loaded
 * when it is run.
 */

const whichAccount = "EMAIL is the account's e-mail address, or its public id.";

export const commands: readonly Command[] = [
  command({
    name: "serve",
    summary: "Runs the server until it is told to stop.",
    details: ["The same as `npm start`. SIGTERM or Ctrl-C lets running calls end; a second Ctrl-C does not."],
    run: async (_, io) => (await import("./commands/serve.ts")).serve(io),
  }),
  command({
    name: "migrate",
    summary: "Brings the store up to this version.",
    details: [
      "Prints the migrations that were applied. A server does it by itself when it starts. Safe to run at any time, and by several at once.",
    ],
    run: async (_, io) => (await import("./commands/migrate.ts")).migrate(io),
  }),
  command({
    name: "doctor",
    summary: "Checks everything, and says what to do.",
    details: [
      "One line a check: `ok`, `warn` or `FAIL`, and below it what to do when it is not ok. The exit code is 1 when a check failed. It changes nothing, and works when the store is down or a setting is wrong.",
      "With SMTP it goes to the mail server, signs in and leaves without sending anything.",
    ],
    run: async (_, io) => (await import("./commands/doctor.ts")).doctor(io),
  }),
  command({
    name: "account create",
    operand: "EMAIL",
    summary: "Makes an account; no mail is sent.",
    options: [
      { name: "name", value: "NAME", summary: "What the person is called; else the address up to the @." },
      { name: "timezone", value: "ZONE", summary: "Such as Europe/Tallinn; else UTC." },
      { name: "password-stdin", summary: "The password is the first line of standard input." },
      { name: "unverified", summary: "You do not vouch that the address is theirs." },
    ],
    details: [
      "Where the password comes from: with --password-stdin from standard input. On a terminal you are asked for it twice. Otherwise a random one is made.",
      "Prints the account's public id alone. When the password was made for you, it prints the password alone instead, and the id goes to standard error: nobody will ever see that password again. --json has both.",
    ],
    run: async (call, io) => (await import("./commands/account.ts")).create(call, io),
  }),
  command({
    name: "account lock",
    operand: "EMAIL",
    summary: "Shuts the account until it is unlocked.",
    details: [
      whichAccount,
      "Its sessions end, and neither password nor token works until it is unlocked: at once, and on running servers within a second.",
    ],
    run: async (call, io) => (await import("./commands/account.ts")).lock(call, io),
  }),
  command({
    name: "account unlock",
    operand: "EMAIL",
    summary: "Opens a locked account.",
    details: [whichAccount, "Password and token work again; its sessions stay ended."],
    run: async (call, io) => (await import("./commands/account.ts")).unlock(call, io),
  }),
  command({
    name: "account close",
    operand: "EMAIL",
    summary: "Closes the account as its owner would.",
    details: [
      whichAccount,
      "The grace period starts and the owner is mailed how to take the account back; the mail goes out when a server runs. With LATCHKEY_CLOSE_GRACE_DAYS=0 the account is erased at once.",
    ],
    run: async (call, io) => (await import("./commands/account.ts")).close(call, io),
  }),
  command({
    name: "account reset-password",
    operand: "EMAIL",
    summary: "Makes a code to choose a new password with.",
    details: [
      whichAccount,
      `Prints the code alone. It is valid for 30 minutes and once. No mail is sent: bring it to the owner, who enters it at ${places.reset.path}. A code that was mailed before stops working.`,
    ],
    run: async (call, io) => (await import("./commands/account.ts")).resetPassword(call, io),
  }),
  command({
    name: "token create",
    operand: "EMAIL",
    summary: "Replaces the account's API token.",
    details: [
      whichAccount,
      "Prints the new token alone. The old one is refused at once, and on running servers within a second.",
    ],
    run: async (call, io) => (await import("./commands/token.ts")).create(call, io),
  }),
  command({
    name: "token revoke",
    operand: "EMAIL",
    summary: "Takes the account's API token away.",
    details: [whichAccount, "There is no new one until the owner or `token create` makes it."],
    run: async (call, io) => (await import("./commands/token.ts")).revoke(call, io),
  }),
  command({
    name: "environment create",
    operand: "NAME",
    summary: "Makes an environment of Connect.",
    options: [
      {
        name: "origins",
        value: "LIST",
        summary: "Origins of apps that may open its form, with commas between; else any.",
      },
    ],
    details: [
      "Keys, integrations and connections of one environment are fenced off from those of another. `dev` and `prod` are there from the beginning.",
      "Prints the name alone.",
    ],
    run: async (call, io) => (await import("./commands/environment.ts")).create(call, io),
  }),
  command({
    name: "environment change",
    operand: "NAME",
    summary: "Says which apps may open an environment's form, and what it looks like.",
    options: [
      {
        name: "origins",
        value: "LIST",
        summary: "Origins of those apps, with commas between; empty: any.",
      },
      { name: "app-name", value: "NAME", summary: "Whom the form speaks for; empty: “the app”." },
      { name: "theme", value: "THEME", summary: "system, light or dark." },
      { name: "light-colour", value: "COLOUR", summary: "Of buttons on light, such as #2f5bea." },
      { name: "dark-colour", value: "COLOUR", summary: "Of buttons on dark, such as #93b1ff." },
    ],
    details: ["What is not named stays as it is. Running servers follow at once. Prints the name alone."],
    run: async (call, io) => (await import("./commands/environment.ts")).change(call, io),
  }),
  command({
    name: "environment key",
    operand: "NAME",
    summary: "Makes an API key for an environment.",
    options: [
      { name: "name", value: "KEY", summary: "What to call the key; else a free name." },
      { name: "scopes", value: "LIST", summary: "What it may do, with commas between; else everything." },
      { name: "revoke", value: "KEY", summary: "Ends the key of this name instead of making one." },
    ],
    details: [
      "Prints the key alone: nobody will ever see it again. Keys that are there go on working, so to change one, make a second, hand it out, and revoke the first: at once, and on running servers within a second.",
    ],
    run: async (call, io) => (await import("./commands/environment.ts")).key(call, io),
  }),
  command({
    name: "integration create",
    operand: "KEY",
    summary: "Lets the people of an app link a provider.",
    options: [
      { name: "provider", value: "PROVIDER", required: true, summary: "Such as toggl: what they link." },
      { name: "environment", value: "NAME", summary: "Where; else dev." },
      { name: "name", value: "NAME", summary: "What people are shown; else the provider's name." },
      { name: "base-url", value: "URL", summary: "Where calls go in place of the provider's own address." },
    ],
    details: [
      "KEY is what the app calls it, `provider_config_key` on the wire. Prints it alone.",
      "Every file in the folder providers/ is a provider.",
    ],
    run: async (call, io) => (await import("./commands/integration.ts")).create(call, io),
  }),
  command({
    name: "connect session create",
    summary: "Makes a link for somebody who is to link an account.",
    options: [
      { name: "environment", value: "NAME", summary: "Where; else dev." },
      { name: "integration", value: "KEY", summary: "What they may link; else all there is." },
      { name: "user", value: "ID", summary: "Who they are to the app." },
      { name: "email", value: "EMAIL", summary: "Their address, which the connection is tagged with." },
      {
        name: "redirect",
        value: "URL",
        summary: "Where the form leads back to; of an origin of the environment.",
      },
    ],
    details: [
      "Prints the link alone. It opens the form once, for 30 minutes or as long as LATCHKEY_CONNECT_SESSION_MINUTES says.",
    ],
    run: async (call, io) => (await import("./commands/connect-session.ts")).create(call, io),
  }),
  command({
    name: "keys status",
    summary: "Shows the signing keys and the root keys.",
    details: [
      "A signing key `signs`, `verifies` what it signed until its last session has ended, or has `ended`. A root key `seals` and opens, or only `opens`; `needed` says whether the store was used under it.",
    ],
    run: async (_, io) => (await import("./commands/keys.ts")).status(io),
  }),
  command({
    name: "keys rotate",
    summary: "Makes the key that signs from now on.",
    options: [
      { name: "signing", required: true, summary: "The key to rotate is the one that signs sessions." },
    ],
    details: [
      "Prints the new key's id alone. Nobody is signed out: the old key verifies its sessions until the last one has ended, 28 days from now.",
    ],
    run: async (_, io) => (await import("./commands/keys.ts")).rotate(io),
  }),
  command({
    name: "keys revoke",
    operand: "KID",
    summary: "Ends a signing key at once.",
    details: [
      "Every session that it signed ends with it; passwords and API tokens go on working. For a key that may be in other hands. `latchkey keys status` shows the ids.",
    ],
    run: async (call, io) => (await import("./commands/keys.ts")).revoke(call, io),
  }),
  command({
    name: "root-keys status",
    summary: "Shows which root key how many sealed values lean on.",
    details: [
      "One root key `seals`, every other one `opens`. A key that is `missing`, or is `another key` under its id, has to be put back. What was `removed` is not needed any more.",
    ],
    run: async (_, io) => (await import("./commands/root-keys.ts")).status(io),
  }),
  command({
    name: "root-keys rotate",
    summary: "Has a new root key seal, and wraps all data keys with it.",
    details: [
      "Prints the new key's id alone. Servers go on working, and may be several. When it was interrupted, type it again: it goes on where it stood.",
      "The new key goes into the file root.keys. With LATCHKEY_ROOT_KEYS, append a new one to the value, restart every server with it, and run this with the same value. Nothing is changed while a running server does not have the new key.",
      "Keep a copy of the new key. The old one is still needed, until root-keys remove says otherwise. docs/guides/rotate-keys.md has more.",
    ],
    run: async (_, io) => (await import("./commands/root-keys.ts")).rotate(io),
  }),
  command({
    name: "root-keys remove",
    operand: "ID",
    summary: "Takes away a root key that nothing leans on.",
    details: [
      "It is refused while a sealed value leans on the key, and says which. Out of the file root.keys the key is taken for you, out of LATCHKEY_ROOT_KEYS it is not.",
      "Backups that were made before the rotation open only with the old key: keep it with them, and nowhere else.",
    ],
    run: async (call, io) => (await import("./commands/root-keys.ts")).remove(call, io),
  }),
  command({
    name: "connect check",
    operand: "FILE",
    summary: "Checks a provider's file.",
    details: [
      "Prints `ok`, or everything that is wrong with it: FILE:line:column and a sentence each, with exit code 1. The same checks hold a server back at its start. docs/guides/add-a-provider.md explains what such a file says.",
    ],
    run: async (call) => (await import("./commands/connect-check.ts")).check(call),
  }),
];

/** Understood by every command. */
export const everywhere = [
  { name: "json", summary: "Prints JSON instead, with everything there is to tell." },
  { name: "help", summary: "Explains the command." },
] as const;
