import { z } from "zod";
import { isLoopbackHost } from "../../kernel/text/host.ts";
import { readOrigin } from "../../kernel/text/origin.ts";

/** Of an app: with TLS, or on this machine, or in a shell of its own (`capacitor://localhost`). */
const isAppOrigin = (text: string): boolean => {
  const origin = readOrigin(text);
  return origin !== undefined && (!origin.startsWith("http:") || isLoopbackHost(new URL(origin).hostname));
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
      .transform((text) => readOrigin(text) ?? text),
  )
  .max(50)
  .transform((origins) => [...new Set(origins)]);
