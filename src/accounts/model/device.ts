import Bowser from "bowser";

const unknown = "Unknown device";

/** The library passes on names that an agent gives itself. */
const plainName = /^[A-Za-z][\w .+-]{0,39}$/;

/** How programs name themselves: `curl/8.5.0`, or the name alone. Every browser calls itself Mozilla. */
const program = /^(?!Mozilla\b)([A-Za-z][\w.-]{0,39})(?:\/[\w.+-]+(?: .*)?)?$/;

/**
 * What a person calls the thing that a request came from: "Firefox on Linux", "curl". An agent can say anything of
 * itself, so what is not plainly a name is left out.
 */
export const deviceOf = (userAgent: string | null): string => {
  if (userAgent === null || userAgent.trim() === "") return unknown;
  const { browser, os } = Bowser.parse(userAgent.slice(0, 256));
  const name = plainName.exec(browser.name ?? "")?.[0] ?? program.exec(userAgent)?.[1];
  if (name === undefined) return unknown;
  return plainName.test(os.name ?? "") ? `${name} on ${os.name}` : name;
};
