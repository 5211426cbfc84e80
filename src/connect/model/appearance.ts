import { z } from "zod";

/** What the form looks like in an environment. */

const colour = z
  .string()
  .regex(/^#[0-9a-f]{6}$/i, "must be a colour like #2f5bea")
  .transform((text) => text.toLowerCase());

const themes = ["system", "light", "dark"] as const;

/** Kept as JSON. What is missing there is as usual. */
export const appearance = z.object({
  /** The app's name, which the form says; null: it speaks of the app. */
  app_name: z.string().nullable().default(null),
  theme: z.enum(themes).default("system"),
  /** Of buttons, where the form is light and where it is dark. */
  light_colour: z.string().default("#2f5bea"),
  dark_colour: z.string().default("#93b1ff"),
});

export type Appearance = z.output<typeof appearance>;

/** As it is shown, with everything that is as usual. */
export const appearanceAnswer = {
  app_name: z.string().nullable(),
  theme: z.enum(themes),
  light_colour: z.string(),
  dark_colour: z.string(),
} as const;

/** The fields that may be changed, each by itself. */
export const appearanceFields = {
  app_name: z
    .string()
    .trim()
    .min(1)
    .max(64)
    // Those that turn the direction would turn the sentence around it too.
    .refine((text) => !/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(text), "has a control character in it")
    .nullable()
    .optional(),
  theme: z.enum(themes).optional(),
  light_colour: colour.optional(),
  dark_colour: colour.optional(),
} as const;
