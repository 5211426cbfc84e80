import { z } from "zod";
import { noBody } from "../../kernel/http/input.ts";
import { route, type Route } from "../../kernel/http/route.ts";
import { actorOf } from "../wire/actor.ts";
import { appearanceAnswer } from "../model/appearance.ts";
import type { Environment } from "../model/environment.ts";
import type { ConnectUseCases } from "../use-cases.ts";
import type { Gates } from "../wire/gates.ts";
import { connectBody } from "../wire/input.ts";
import { environmentBody } from "./change-environment.ts";
import { connectWire } from "../wire/wire.ts";

const environmentAnswer = z.object({
  data: z.object({
    name: z.string(),
    connect_origins: z.array(z.string()),
    ...appearanceAnswer,
  }),
});

const shownEnvironment = ({ name, connectOrigins, appearance: looks }: Environment) => ({
  name,
  connect_origins: [...connectOrigins],
  ...looks,
});

/** Ours: which apps may open the form, and what it looks like. */
export const environmentRoutes = (use: ConnectUseCases, { key }: Gates): readonly Route[] => [
  route({
    method: "GET",
    path: "/environment",
    summary: "The environment of the key: which apps may open the form, and what it looks like",
    wire: connectWire,
    guard: key("environment:settings:read"),
    input: noBody,
    answers: {
      means:
        "The settings. With no `connect_origins` any app may open the form, as long as no environment names some.",
      schema: environmentAnswer,
    },
    run: ({ principal }) => ({ json: { data: shownEnvironment(principal.environment) } }),
  }),
  route({
    method: "PATCH",
    path: "/environment",
    summary: "Say which apps may open the form, and what it looks like",
    wire: connectWire,
    guard: key("environment:settings:write"),
    input: connectBody(environmentBody),
    answers: { means: "The settings as they are now.", schema: environmentAnswer },
    run: async ({ input, principal, incoming }) => {
      const changed = await use.changeEnvironment(
        principal.environment.name,
        input,
        actorOf(principal, incoming),
      );
      return { json: { data: shownEnvironment(changed) } };
    },
  }),
];
