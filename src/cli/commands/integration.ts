import type { Call, Ending } from "../command.ts";
import { withHouse } from "../house.ts";
import type { Io } from "../io.ts";

/** Where apps are built; `prod` is named on purpose. */
export const usualEnvironment = "dev";

export const create = ({ operand: key, values }: Call, io: Io): Promise<Ending> =>
  withHouse(io, async ({ connect }) => {
    const environment = values.get("environment") ?? usualEnvironment;
    const name = values.get("name");
    const baseUrl = values.get("base-url");
    const made = await connect.use.createIntegration({
      environment,
      body: {
        unique_key: key,
        provider: values.get("provider"),
        ...(name === undefined ? {} : { display_name: name }),
        ...(baseUrl === undefined ? {} : { integration_config: { base_url: baseUrl } }),
      },
    });
    return {
      output: made.uniqueKey,
      json: {
        environment,
        unique_key: made.uniqueKey,
        provider: made.provider,
        display_name: made.displayName,
        integration_config: made.config,
      },
    };
  });
