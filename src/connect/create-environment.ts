import type { Refusal } from "../kernel/errors.ts";
import type { ConnectDeps } from "./deps.ts";
import type { Environment } from "./environment.ts";
import { invalidBody } from "./input.ts";
import { insertEnvironment } from "./store/environments.ts";

type Deps = Pick<ConnectDeps, "store" | "clock" | "audit">;

const nameForm = /^[a-z][a-z0-9-]{0,31}$/;

/** `https://app.example.com`; plain http for this machine only. @throws Refusal input_invalid */
const originOf = (text: string): string => {
  const url = URL.parse(text);
  const isLocal = url !== null && ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  if (!url || url.origin !== text.replace(/\/$/, "") || (url.protocol !== "https:" && !isLocal)) {
    throw invalidBody(["connect_origins"], "must be origins such as https://app.example.com, without a path");
  }
  return url.origin;
};

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
    const connectOrigins = wanted.connectOrigins.map(originOf);
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
