import { z } from "zod";

/** What the Connect wire answers, for the documents and the pages' types. */

export const newSessionAnswer = z.object({
  data: z.object({ token: z.string(), connect_link: z.string(), expires_at: z.string() }),
});

const organization = z.object({ id: z.string(), display_name: z.string().nullable() });

export const endUserAnswer = z.object({
  id: z.string(),
  display_name: z.string().nullable(),
  email: z.string().nullable(),
  tags: z.record(z.string(), z.string()).nullable(),
  organization: organization.nullable(),
});

const colours = z.object({ primary: z.string() });

export const sessionAnswer = z.object({
  data: z.object({
    endUser: endUserAnswer.nullable(),
    connectUISettings: z.object({
      showWatermark: z.boolean(),
      defaultTheme: z.enum(["light", "dark", "system"]),
      theme: z.object({ light: colours, dark: colours }),
    }),
    allowed_integrations: z.array(z.string()).optional(),
    integrations_config_defaults: z
      .record(z.string(), z.object({ connection_config: z.record(z.string(), z.string()) }))
      .optional(),
    overrides: z.record(z.string(), z.object({ docs_connect: z.string() })).optional(),
    isReconnecting: z.literal(true).optional(),
    finished: z.boolean(),
  }),
});
