import { z } from "zod";
import { refusals } from "#kernel/errors.ts";
import { noBody } from "#kernel/http/input.ts";
import { anyone, route, type Route } from "#kernel/http/route.ts";
import { plainWire } from "#kernel/http/wire.ts";
import type { Readiness } from "./readiness.ts";

const state = z.object({ status: z.literal("ok") });

/** For those who watch the process: is it alive, and can it serve? */
export const systemRoutes = (readiness: Readiness): readonly Route[] => [
  route({
    method: "GET",
    path: "/healthz",
    summary: "Whether the process answers",
    wire: plainWire,
    guard: anyone,
    input: noBody,
    answers: { means: "It does.", schema: state },
    run: () => ({ json: { status: "ok" } }),
  }),
  route({
    method: "GET",
    path: "/readyz",
    summary:
      "Whether it can do its work: the store can be written, and changes of other processes are known, and it is not about to end",
    wire: plainWire,
    guard: anyone,
    input: noBody,
    refuses: [refusals.stopping],
    answers: { means: "It can; otherwise 503.", schema: state },
    run: async () => {
      await readiness.check();
      return { json: { status: "ok" } };
    },
  }),
];
