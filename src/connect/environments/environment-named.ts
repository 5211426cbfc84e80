import { noEnvironment } from "./create-environment.ts";
import type { Environment } from "../model/environment.ts";
import { environmentByName } from "../store/environments.ts";
import type { Queries } from "../store/tables.ts";

/** @throws Refusal input_invalid when there is none of that name */
export const environmentNamed = async (query: Queries, name: string): Promise<Environment> => {
  const environment = await environmentByName(query, name);
  if (!environment) throw noEnvironment(name);
  return environment;
};
