import type { z } from "zod";
import type { endUserAnswer, sessionAnswer } from "../wire/answers.ts";
import type { ConnectSession } from "../model/connect-session.ts";
import type { EndUser } from "../model/end-user.ts";

/** What the Connect wire shows, field by field as recorded. */

export const shownEndUser = (endUser: EndUser | null): z.output<typeof endUserAnswer> | null =>
  endUser && {
    id: endUser.id,
    display_name: endUser.displayName,
    email: endUser.email,
    tags: endUser.tags,
    organization: endUser.organization && {
      id: endUser.organization.id,
      display_name: endUser.organization.displayName,
    },
  };

const isEmpty = (record: object): boolean => Object.keys(record).length === 0;

/** The session as the form sees it. Tags stay the app's. */
export const shownSession = ({
  environment: { appearance },
  terms,
  connectionRow,
  finishedAt,
}: ConnectSession): z.output<typeof sessionAnswer> => ({
  data: {
    endUser: shownEndUser(terms.endUser),
    connectUISettings: {
      showWatermark: false,
      defaultTheme: appearance.theme,
      theme: {
        light: { primary: appearance.light_colour },
        dark: { primary: appearance.dark_colour },
      },
    },
    ...(terms.allowedIntegrations.length > 0 ? { allowed_integrations: terms.allowedIntegrations } : {}),
    ...(isEmpty(terms.configDefaults)
      ? {}
      : {
          integrations_config_defaults: Object.fromEntries(
            Object.entries(terms.configDefaults).map(([key, config]) => [key, { connection_config: config }]),
          ),
        }),
    ...(isEmpty(terms.docs)
      ? {}
      : {
          overrides: Object.fromEntries(
            Object.entries(terms.docs).map(([key, docs]) => [key, { docs_connect: docs }]),
          ),
        }),
    ...(connectionRow === null ? {} : { isReconnecting: true as const }),
    finished: finishedAt !== null,
  },
});
