import { z } from "zod";
import { integrationKey } from "../wire/bodies.ts";
import type { Connection } from "../model/connection.ts";
import type { ConnectDeps } from "../deps.ts";
import type { Environment } from "../model/environment.ts";
import { listConnections as listRows } from "../store/list-connections.ts";

/** The query of a list. What is empty was not asked for: clients send names without values. */

const word = z
  .string()
  .max(255)
  .refine((text) => !/\p{Cc}/u.test(text), "has a control character in it")
  .transform((text) => (text === "" ? undefined : text))
  .optional();

const count = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, "must be a whole number")
    .transform(Number)
    .pipe(z.int().min(least).max(most));

/** As many as the original gives to whom names no limit. */
const unlimited = 10_000;

const keys = z
  .string()
  .transform((text) => text.split(",").filter((key) => key !== ""))
  .pipe(z.array(integrationKey).max(100))
  .optional();

const tags = z
  .record(z.string().max(64), z.string().max(255))
  .transform((given) =>
    Object.fromEntries(Object.entries(given).map(([key, value]) => [key.toLowerCase(), value])),
  )
  .refine((given) => Object.keys(given).length <= 10, "at most 10 tags")
  .refine((given) => !/\p{Cc}/u.test(Object.entries(given).flat().join("")), "has a control character in it")
  .optional();

export const connectionsQuery = z.strictObject({
  connectionId: word,
  search: word,
  endUserId: word,
  endUserOrganizationId: word,
  integrationId: keys,
  tags,
  limit: count(1, 2000).optional(),
  page: count(0, 1_000_000).optional(),
});

export type ConnectionsQuery = z.output<typeof connectionsQuery>;

/** Newest first. */
export const listConnections =
  ({ store }: Pick<ConnectDeps, "store">) =>
  ({ id }: Environment, query: ConnectionsQuery): Promise<readonly Connection[]> =>
    listRows(store.query, id, {
      connectionId: query.connectionId,
      search: query.search,
      endUserId: query.endUserId,
      organizationId: query.endUserOrganizationId,
      integrationKeys: query.integrationId?.length === 0 ? undefined : query.integrationId,
      tags: query.tags,
      limit: query.limit ?? unlimited,
      page: query.page ?? 0,
    });
