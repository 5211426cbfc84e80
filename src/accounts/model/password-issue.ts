import { checkPassword, type PasswordContext } from "../../kernel/crypto/passwords/password-policy.ts";
import type { Issue } from "../../kernel/errors.ts";
import type { Secret } from "../../kernel/secret.ts";

/** What this service is called, and whose API its clients know it by. */
const serviceWords = ["latchkey", "toggl"];

/** The first rule that a chosen password breaks, or undefined when it may be used. */
export const passwordIssue = (
  password: Secret,
  { minimum, context }: Omit<PasswordContext, "serviceWords">,
): Issue | undefined => checkPassword(password, { minimum, context, serviceWords });
