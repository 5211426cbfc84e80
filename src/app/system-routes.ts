import { sql } from "kysely";
import { z } from "zod";
import { Refusal } from "#kernel/errors.ts";
import type { Store } from "#kernel/db/store.ts";
import { noBody } from "#kernel/http/input.ts";
import { anyone, route, type Route } from "#kernel/http/route.ts";

const state = z.object({ status: z.literal("ok") });

/** For those who watch the process: is it alive, and can it serve? */
export const systemRoutes = (store: Store): readonly Route[] => [
  route({
    method: "GET",
    path: "/healthz",
    summary: "Whether the process answers",
    wire: "plain",
    guard: anyone,
    input: noBody,
    answers: { means: "It does.", schema: state },
    run: () => ({ json: { status: "ok" } }),
  }),
  route({
    method: "GET",
    path: "/readyz",
    summary: "Whether the store can be reached too",
    wire: "plain",
    guard: anyone,
    input: noBody,
    answers: { means: "It can; otherwise 503.", schema: state },
    run: async () => {
      await sql`select 1`.execute(store.query).catch((error: unknown) => {
        throw new Refusal("store_unavailable", { retryAfter: 1, cause: error });
      });
      return { json: { status: "ok" } };
    },
  }),
];
