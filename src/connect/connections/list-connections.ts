import { z } from "zod";
import { integrationKey, tagKey } from "../wire/bodies.ts";
import { wholeNumber } from "../wire/input.ts";
import type { Connection } from "../model/connection.ts";
import type { ConnectDeps } from "../deps.ts";
import type { Environment } from "../model/environment.ts";
import { listConnections as listRows } from "../store/list-connections.ts";

/** The query of a list. What is empty was not asked for: clients send names without values. */

const word = (says: string) =>
  z
    .string()
    .describe(says)
    .max(255)
    .refine((text) => !/\p{Cc}/u.test(text), "has a control character in it")
    .transform((text) => (text === "" ? undefined : text))
    .optional();

/** As many as the original gives to whom names no limit. */
const unlimited = 10_000;

const keys = z
  .string()
  .describe("Of these integrations, with commas between")
  .transform((text) => text.split(",").filter((key) => key !== ""))
  .pipe(z.array(integrationKey).max(100))
  .optional();

const tags = z
  .record(tagKey, z.string().max(255))
  .describe("With these values of tags; all of them must be there")
  .transform((given) =>
    Object.fromEntries(Object.entries(given).map(([key, value]) => [key.toLowerCase(), value])),
  )
  .refine((given) => Object.keys(given).length <= 10, "at most 10 tags")
  .refine((given) => !/\p{Cc}/u.test(Object.entries(given).flat().join("")), "has a control character in it")
  .optional();

export const connectionsQuery = z.strictObject({
  connectionId: word("Of this id"),
  search: word("With this text in the id, or in the end user's name or address"),
  endUserId: word("Of this end user"),
  endUserOrganizationId: word("Of this organization"),
  integrationId: keys,
  tags,
  limit: wholeNumber(1, 2000, "How many; 10000 unless said").optional(),
  page: wholeNumber(0, 1_000_000, "Which page of that size, from 0 on").optional(),
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
