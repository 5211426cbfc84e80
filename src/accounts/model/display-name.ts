import type { Issue } from "../../kernel/errors.ts";

const longestName = 255;

/** Names are free text on one line: they stand in mail headers and on pages, so nothing may hide in them. */
export const displayNameIssue = (name: string): Issue | undefined => {
  const trimmed = name.trim();
  const issue = (rule: string, message: string): Issue => ({ field: "display_name", rule, message });
  if (trimmed === "") return issue("required", "display_name must not be empty");
  if (trimmed.length > longestName)
    return issue("too_long", `display_name must have at most ${longestName} characters`);
  // Control and format characters: line breaks for headers, overrides of the writing direction for readers.
  if (/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(trimmed) || !trimmed.isWellFormed()) {
    return issue("characters", "display_name must not contain line breaks or control characters");
  }
  return undefined;
};
