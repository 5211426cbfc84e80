import { join } from "node:path";

import type { Config } from "../../config.ts";
import { readRootKeyFile } from "./root-key-file.ts";
import { parseRootKeys, type RootKeys } from "../root-keys.ts";

export const rootKeyVariable = "LATCHKEY_ROOT_KEYS";

export type RootKeySource = Pick<Config, "rootKeys" | "dataFolder">;

export const rootKeyPath = ({ dataFolder }: Pick<RootKeySource, "dataFolder">): string =>
  join(dataFolder, "root.keys");

/** The variable when it is set, else the file. */
export const whereRootKeysAre = (config: RootKeySource): string =>
  config.rootKeys ? rootKeyVariable : rootKeyPath(config);

/**
 * The root keys that this process is given, undefined when there are none.
 *
 * @throws SetupFault saying what is wrong with the file or the variable
 */
export const givenRootKeys = (config: RootKeySource): RootKeys | undefined =>
  config.rootKeys
    ? parseRootKeys(config.rootKeys.reveal(), rootKeyVariable)
    : readRootKeyFile(rootKeyPath(config));
