import { z } from "zod";
import type { Refusal } from "../../kernel/errors.ts";
import { connectOrigins as origins } from "../model/connect-origins.ts";
import type { ConnectDeps } from "../deps.ts";
import type { Environment } from "../model/environment.ts";
import { invalidBody, parsePart } from "../wire/input.ts";
import { insertEnvironment } from "../store/environments.ts";
import { refusals } from "../model/refusals.ts";

type Deps = Pick<ConnectDeps, "store" | "clock" | "audit">;

const nameForm = /^[a-z][a-z0-9-]{0,31}$/;

/** A new fence. @throws Refusal input_invalid when the name is taken or no name */
export const createEnvironment =
  ({ store, clock, audit }: Deps) =>
  async (wanted: {
    readonly name: string;
    readonly connectOrigins: readonly string[];
  }): Promise<Environment> => {
    if (!nameForm.test(wanted.name)) {
      throw invalidBody(["name"], "must be 1 to 32 small letters, digits and hyphens, a letter first");
    }
    const { connect_origins: connectOrigins } = parsePart(
      z.object({ connect_origins: origins }),
      { connect_origins: wanted.connectOrigins },
      refusals.input_invalid,
    );
    return store.transaction(async (tx) => {
      const environment = await insertEnvironment(
        tx.query,
        { name: wanted.name, connectOrigins },
        clock.now(),
      );
      if (!environment) throw invalidBody(["name"], "There is an environment of this name");
      await audit.record(tx.query, {
        event: "environment_created",
        outcome: "done",
        channel: "cli",
        details: { environment: environment.name },
      });
      return environment;
    });
  };

export const noEnvironment = (name: string): Refusal =>
  invalidBody(["environment"], `There is no environment ${name}`);
