import { z } from "zod";

const isLocal = ({ hostname }: URL): boolean => ["localhost", "127.0.0.1", "[::1]"].includes(hostname);

/** Each stands in a header, among others: no `;`, no `,`, and no `*` that a browser would take for any name. */
const plainHost = /^(?:[a-z0-9._-]+|\[[0-9a-f:]+\])$/;

/** `https://app.example.com`; plain http for this machine only. */
const isAppOrigin = (text: string): boolean => {
  const url = URL.parse(text);
  return (
    url !== null &&
    // Nothing else is in it: no path, no query, no name of somebody.
    url.href === `${url.origin}/` &&
    plainHost.test(url.hostname) &&
    (url.protocol === "https:" || (url.protocol === "http:" && isLocal(url)))
  );
};

/** More than the longest name that there is. */
const longest = 300;

/** Origins of apps that may open the form, hand in a token and hear what becomes of it. */
export const connectOrigins = z
  .array(
    z
      .string()
      .max(longest)
      .refine(isAppOrigin, "must be an origin such as https://app.example.com, without a path")
      .transform((text) => new URL(text).origin),
  )
  .max(50)
  .transform((origins) => [...new Set(origins)]);
