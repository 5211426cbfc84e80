import { createHash } from "node:crypto";

/** The address of a person's picture, in the form in which Toggl has it. Nothing is fetched from there by us. */
export const gravatar = (email: string): string => {
  const name = createHash("md5").update(email.trim().toLowerCase()).digest("hex");
  return `https://secure.gravatar.com/avatar/${name}?d=404&s=200`;
};
