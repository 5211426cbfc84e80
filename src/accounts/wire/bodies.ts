import { z } from "zod";
import { passwordIssue } from "../model/password-issue.ts";
import type { Issue } from "../../kernel/errors.ts";
import { Secret } from "../../kernel/secret.ts";
import { isTimeZone } from "../../kernel/text/time-zone.ts";
import { displayNameIssue } from "../model/display-name.ts";
import { parseEmailAddress } from "../../kernel/text/email-address.ts";

/** The bodies that this room takes. Fields that are not named here are refused by name. */

/** What a schema of this room says of a value that it does not take. */
export const report = (context: z.RefinementCtx, issue: Issue): never => {
  context.addIssue({ code: "custom", message: issue.message, params: { rule: issue.rule } });
  return z.NEVER;
};

const emailAddress = z
  .string()
  .meta({ format: "email", examples: ["ada@example.com"] })
  .transform((text, context) => {
    const parsed = parseEmailAddress(text);
    return "canonical" in parsed ? parsed : report(context, parsed);
  });

const secret = z
  .string()
  .meta({ format: "password" })
  .transform((text) => new Secret(text));

const newPassword = (minimum: number) =>
  z
    .string()
    .meta({ format: "password", minLength: minimum, maxLength: 1024 })
    .transform((text, context) => {
      const password = new Secret(text);
      const issue = passwordIssue(password, { minimum, context: [] });
      return issue ? report(context, issue) : password;
    });

const timeZone = z
  .string()
  .meta({ examples: ["Europe/Tallinn"] })
  .transform((name, context) =>
    isTimeZone(name)
      ? name
      : report(context, {
          field: "timezone",
          rule: "unknown",
          message: "timezone must be a name of the IANA time zone database, such as Europe/Tallinn",
        }),
  );

const displayName = z.string().transform((name, context) => {
  const issue = displayNameIssue(name);
  return issue ? report(context, { ...issue, field: "display_name" }) : name.trim();
});

export const signUpBody = (passwordMin: number) =>
  z.strictObject({
    email: emailAddress,
    password: newPassword(passwordMin),
    tos_accepted_for: z.literal("track"),
    display_name: displayName.optional(),
    timezone: timeZone.optional(),
    remember_me: z.boolean().optional(),
  });

export const signInBody = z.strictObject({
  // Whatever is no address is nobody's, and gets the answer of a wrong password.
  email: z.string().meta({ format: "email", examples: ["ada@example.com"] }),
  password: secret,
  remember_me: z.boolean().optional(),
});

/** Beside credentials in the Authorization header. */
export const rememberBody = z.strictObject({ remember_me: z.boolean().optional() });

/** Where an address is all that is asked for. */
export const addressBody = z.strictObject({ email: emailAddress });

export const confirmResetBody = (passwordMin: number) =>
  z.strictObject({
    password: newPassword(passwordMin),
    keep_token: z
      .boolean()
      .optional()
      .describe(
        "Whether the API token goes on working; false when left out. Not for an address that is confirmed for the first time with this.",
      ),
  });

export const undoCloseBody = (passwordMin: number) => z.strictObject({ password: newPassword(passwordMin) });

export const changeEmailBody = z.strictObject({ email: emailAddress, current_password: secret });

/** Who has only a cookie to show may prove with it to be the owner. */
export const closeBody = z.strictObject({ current_password: secret.optional() });
