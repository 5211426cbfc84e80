import type { Provider } from "#connect";
import { asked, inText, listed, nameOf, recommendedFirst } from "./provider-words.ts";

/** The second half of a provider's page: what happens with what one enters, what can go wrong, and what developers ask. */

/** `acme.freshdesk.com`: the host that is asked, with an example in the place of what people fill in. */
const hostOf = (provider: Provider): string | undefined => {
  const address = provider.verification?.base_url ?? provider.base_url;
  if (!address.startsWith("https://")) return undefined;
  const filled = address.replaceAll(/\$\{connectionConfig\.(\w+)\}/g, (_, name: string) => {
    const field = provider.connection_config[name];
    return field?.default ?? field?.example ?? field?.enum?.[0] ?? name;
  });
  return filled.replace(/^https:\/\//, "").replace(/\/.*$/, "");
};

const isOnlyOne = ({ base_url: address }: Provider): boolean => !address.includes("${");

const checkedBy = (provider: Provider): string => {
  const host = hostOf(provider);
  if (host === undefined) return "This server checks it itself; nothing goes out to others.";
  const at = isOnlyOne(provider) ? `\`${host}\`` : `the address that you entered, like \`${host}\``;
  return `It is sent to ${nameOf(provider)} (${at}) to ask whose account it is.`;
};

const remembered = ({ verification }: Provider): string => {
  if (verification === undefined) return "";
  const { name, email, workspace } = verification.account;
  const parts = [
    ...(name.length > 0 ? ["name"] : []),
    ...(email.length > 0 ? ["e-mail address"] : []),
    ...(workspace.length > 0 ? ["workspace"] : []),
  ];
  const list = listed(parts);
  return list === "" ? "" : ` Of the answer, the account's ${list} are kept, to show what is linked.`;
};

const swapped = (provider: Provider): readonly string[] =>
  provider.shapes.flatMap(({ title, swap }) => {
    if (swap === undefined) return [];
    const into = provider.shapes.find(({ name }) => name === swap.into);
    const kept = inText(into?.title ?? "token");
    return [
      `- **Your password is not kept.** With ${inText(title)}, the password is used once, to fetch your ${kept}, and only the ${kept} is kept. Whoever runs this server can set an app up to keep the password instead; nothing does so by itself.`,
    ];
  });

/** An answer about the account that has the token in it is the provider's, and goes to the app as it is. */
const repeats = (provider: Provider): string =>
  provider.shapes.some(({ swap }) => swap !== undefined)
    ? `; or where ${nameOf(provider)} itself tells it, as it does when an app asks who you are`
    : "";

const treatment = (provider: Provider): readonly string[] => {
  const name = nameOf(provider);
  return [
    "## What happens with what you enter {#what-happens-with-it}",
    [
      `- **It is checked.** ${checkedBy(provider)} When the answer is no, nothing is kept.${remembered(provider)}`,
      ...swapped(provider),
      "- **It is sealed.** It is kept encrypted, under a key of its own, and never shown in the form again.",
      `- **The app uses it through this server.** The app that you linked it for can do in ${name} what it lets you do. Its calls pass through here, and what you entered is put in on the way: the app need not hold it. An app can read it only where the operator has given it that right, and every such look is recorded${repeats(provider)}.`,
    ].join("\n"),
    "## How do I end the link? {#end-the-link}",
    [
      `- **In the app:** disconnect ${name} there. When the app ends the link, what was kept is deleted at once, with the key that opens it.`,
      provider.auth_mode === "NONE"
        ? ""
        : `- **At ${name}:** ${takenBack(provider)} From then on it works nowhere, and here neither.`,
    ]
      .filter((line) => line !== "")
      .join("\n"),
  ];
};

/** What is kept in the end is that of the recommended way, when the others are only used to fetch it. */
const takenBack = (provider: Provider): string => {
  const [first] = recommendedFirst(provider);
  const [secret] = first ? asked(provider, first).filter((field) => field.secret) : [];
  if (secret === undefined) return "change what you entered.";
  const { title, doc_section: section } = secret;
  const where = section === undefined ? "where you found it" : `[where you found it](${section})`;
  return `delete or replace the ${inText(title)}, ${where}.`;
};

type Outcome = Provider["outcomes"][number]["is"];

const says = ({ outcomes }: Provider, outcome: Outcome): readonly string[] => [
  ...new Set(outcomes.flatMap((rule) => (rule.is === outcome && rule.says !== undefined ? [rule.says] : []))),
];

/** The headings are the form's own, so that who sees one finds it here. */
const trouble = (heading: string, usual: string, own: readonly string[] = []): string =>
  [`- **${heading}.** ${usual}`, ...own.map((sentence) => `  - “${sentence.trim()}”`)].join("\n");

const troubles = (provider: Provider): readonly string[] => {
  const name = nameOf(provider);
  const titled = provider.display_name;
  const swaps = provider.shapes.some(({ swap }) => swap !== undefined);
  const otherwise = inText(recommendedFirst(provider)[0]?.title ?? "");
  return [
    "## If it does not work {#if-it-does-not-work}",
    "What you typed stays in the form, and the form says what happened:",
    [
      trouble(
        `${titled} did not accept this`,
        "Something that you entered is not right, or no longer. Check that it was copied completely, from the right account, and that nobody has replaced it since. Blanks around it do not matter.",
        says(provider, "wrong_credentials"),
      ),
      ...(swaps
        ? [
            trouble(
              `${titled} gave us no API token for this password`,
              `The password was right, but there is nothing to keep in its place. Use the ${otherwise}.`,
            ),
          ]
        : []),
      trouble(
        `${titled} allows no more checks for now`,
        `${name} lets each account ask only so often, and has not looked at what you entered: it may well be right. Try again later. Where ${name} says when, so does the form.`,
        says(provider, "quota"),
      ),
      trouble(
        `${titled} is too busy to check this`,
        "Wait a minute, and try again. It has nothing to do with what you entered.",
        says(provider, "rate_limited"),
      ),
      trouble(
        `${titled} does not answer`,
        "It is down, or too slow. Try again later. It has nothing to do with what you entered.",
        says(provider, "unavailable"),
      ),
      trouble(
        `${titled} gave an answer that we don’t understand`,
        isOnlyOne(provider)
          ? "The answer does not say whose account it is. Try again later, or tell the people who make the app."
          : "Something answered, and did not say whose account it is. Check the address that you entered. If it is right, tell the people who make the app.",
        says(provider, "unexpected"),
      ),
      trouble(
        "Too many tries with this link",
        "After ten that were wrong, go back to the app and start linking again.",
      ),
      trouble(
        "This is a different account",
        "You are linking anew, and this is not the account that was linked so far. The form asks whether you mean it.",
      ),
      trouble(
        "This link has been used, or is not valid any more",
        "A link to the form is good for one account and for a short time. Go back to the app and start linking again.",
      ),
    ].join("\n"),
  ];
};

const docsOf = ({ docs }: Provider): string => docs.replace(/^latchkey:/, "");

const valueOf = (field: {
  readonly hidden: boolean;
  readonly default?: string | undefined;
  readonly title: string;
}): string =>
  field.hidden ? (field.default === "" ? "empty" : `\`${field.default ?? ""}\``) : inText(field.title);

const forDevelopers = (provider: Provider): readonly string[] => {
  const names = [...new Set(provider.shapes.flatMap(({ fields }) => Object.keys(fields)))];
  const config = Object.entries(provider.connection_config).map(
    ([name, { title }]) => `\`${name}\` (${title})`,
  );
  const modes = { BASIC: "HTTP Basic", API_KEY: "an API key", NONE: "no credentials" } as const;
  const table = [
    ["Way", ...names.map((name) => `\`${name}\``)],
    ["---", ...names.map(() => "---")],
    ...recommendedFirst(provider).map(({ title, fields }) => [
      title,
      ...names.map((name) => (fields[name] ? valueOf(fields[name]) : "")),
    ]),
  ];
  return [
    "## For developers {#for-developers}",
    [
      `The provider is called \`${provider.name}\`, and takes ${modes[provider.auth_mode]}.`,
      ...(names.length > 0 ? ["These are its `credentials`:"] : []),
    ].join(" "),
    ...(names.length > 0 ? [table.map((cells) => `| ${cells.join(" | ")} |`).join("\n")] : []),
    ...(config.length > 0 ? [`Beside them, under \`params\`: ${config.join(", ")}.`] : []),
    `More: [the API of ${nameOf(provider)}](${docsOf(provider)}), [calls of this server](/docs/api), [what differs from Nango](/docs/guides/differences-from-nango.md), [how this page's file is written](/docs/guides/add-a-provider.md).`,
  ];
};

export const afterwards = (provider: Provider): readonly string[] => [
  ...troubles(provider),
  ...treatment(provider),
  ...forDevelopers(provider),
];
