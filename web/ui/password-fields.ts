import { facts } from "../facts.ts";
import { texts } from "../texts/index.ts";

// Properties, and no component around `Field`: Preact draws a nested one a pass later, when the form has already looked
// for the faulty field to focus.

/** What proves that somebody who is signed in is also the owner. */
export const currentPassword = {
  name: "current_password",
  type: "password",
  label: texts.field.currentPassword,
  autocomplete: "current-password",
  required: true,
} as const;

export const newPassword = {
  name: "password",
  type: "password",
  label: texts.field.newPassword,
  hint: texts.field.passwordHint(facts.passwordMin),
  autocomplete: "new-password",
  required: true,
} as const;
