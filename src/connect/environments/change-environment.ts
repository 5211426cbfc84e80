import { z } from "zod";
import { changeEvent, type Actor } from "../wire/actor.ts";
import { appearanceFields } from "../model/appearance.ts";
import { connectOrigins } from "../model/connect-origins.ts";
import { noEnvironment } from "./create-environment.ts";
import type { ConnectDeps } from "../deps.ts";
import { feedIdOf, type Environment } from "../model/environment.ts";
import { environmentByName, updateEnvironment } from "../store/environments.ts";

type Deps = Pick<ConnectDeps, "store" | "audit">;

export const environmentBody = z
  .strictObject({ connect_origins: connectOrigins.optional(), ...appearanceFields })
  .refine((body) => Object.values(body).some((value) => value !== undefined), {
    message: "must say what to change: connect_origins, app_name, theme, light_colour or dark_colour",
  });

export type EnvironmentBody = z.output<typeof environmentBody>;

/** Who may open the form, and what it looks like. What is not named stays. @throws Refusal input_invalid */
export const changeEnvironment =
  ({ store, audit }: Deps) =>
  (name: string, wanted: EnvironmentBody, actor: Actor): Promise<Environment> =>
    store.transaction(async (tx) => {
      await tx.alone();
      const environment = await environmentByName(tx.query, name);
      if (!environment) throw noEnvironment(name);
      const { connect_origins: origins = environment.connectOrigins, ...looks } = wanted;
      const given = Object.fromEntries(Object.entries(looks).filter(([, value]) => value !== undefined));
      const changed = {
        ...environment,
        connectOrigins: origins,
        appearance: { ...environment.appearance, ...given },
      };
      await updateEnvironment(tx.query, changed);
      await audit.record(tx.query, changeEvent("environment_changed", environment, actor));
      tx.changed(feedIdOf(environment.id));
      return changed;
    });
