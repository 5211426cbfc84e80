import type { Call, Ending } from "../command.ts";
import { Fault } from "../command.ts";
import { accountOf, whence, withHouse } from "../house.ts";
import type { Io } from "../io.ts";

export const create = ({ operand }: Call, io: Io): Promise<Ending> =>
  withHouse(io, async (house) => {
    const account = await accountOf(house, operand);
    if (account.closedAt !== null) throw new Fault(`${account.email} is closed: no token of it would work.`);
    if (account.lockedAt !== null)
      throw new Fault(`${account.email} is locked: unlock it first, then make a token.`);
    const token = await house.accounts.use.replaceToken(account.id, { channel: "cli", peer: whence() });
    return {
      output: token.reveal(),
      json: { id: account.publicId, email: account.email, token: token.reveal() },
      notes: [`This is the API token of ${account.email} now; the one before is refused.`],
    };
  });

export const revoke = ({ operand }: Call, io: Io): Promise<Ending> =>
  withHouse(io, async (house) => {
    const account = await accountOf(house, operand);
    const revoked = await house.accounts.use.revokeToken(account.id, { channel: "cli", peer: whence() });
    return {
      json: { id: account.publicId, email: account.email, revoked },
      notes: [
        revoked ? `The API token of ${account.email} is revoked.` : `${account.email} had no API token.`,
      ],
    };
  });
