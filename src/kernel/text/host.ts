/** Names of hosts, and which of them are this machine. */

const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const hostname = new RegExp(`^(?=.{1,253}$)${label}(?:\\.${label})*$`, "i");

/** LDH labels of RFC 1123 §2.1 with dots between them; no port, no scheme, no dot at the end. */
export const isHostname = (text: string): boolean => hostname.test(text);

/** Of a URL: a trailing dot is another spelling of the same name. */
export const nameOfHost = ({ hostname: name }: URL): string => name.replace(/\.+$/, "");

/** Of a URL, with the default of its scheme. */
export const portOf = ({ port, protocol }: URL): number => Number(port || (protocol === "https:" ? 443 : 80));

/** The names as which browsers trust this machine without TLS, and keep its cookies. */
export const isLoopbackHost = (host: string): boolean =>
  host === "localhost" || host === "127.0.0.1" || host === "[::1]";

/** Every name and address under which this machine is reached by itself alone, as URLs have them (RFC 6761 §6.3). */
export const leadsToThisMachine = (host: string): boolean =>
  /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(host);
