import type { Call, Ending } from "../command.ts";
import { withHouse } from "../house.ts";
import { usualEnvironment } from "./integration.ts";
import type { Io } from "../io.ts";

const endUserOf = (id: string | undefined, email: string | undefined): object => {
  if (id !== undefined) return { end_user: { id, ...(email === undefined ? {} : { email }) } };
  return { tags: email === undefined ? {} : { end_user_email: email } };
};

export const create = ({ values }: Call, io: Io): Promise<Ending> =>
  withHouse(io, async ({ connect }) => {
    const environment = values.get("environment") ?? usualEnvironment;
    const integration = values.get("integration");
    const redirect = values.get("redirect");
    const made = await connect.use.createConnectSession({
      environment,
      body: {
        ...endUserOf(values.get("user"), values.get("email")),
        ...(integration === undefined ? {} : { allowed_integrations: [integration] }),
        ...(redirect === undefined ? {} : { redirect_url: redirect }),
      },
    });
    return {
      output: made.connect_link,
      json: { environment, ...made },
      notes: [`It works until ${made.expires_at}.`],
    };
  });
