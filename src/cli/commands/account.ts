import type { Account } from "#accounts";
import { displayNameIssue, parseEmailAddress } from "#accounts";
import type { OperatorHouse } from "#app/operator.ts";
import { linksAt } from "#app/pages/places.ts";
import { newPassword, systemRandom } from "#kernel/ids.ts";
import { Secret } from "#kernel/secret.ts";
import { isTimeZone } from "#kernel/text/time-zone.ts";
import { Fault, type Call, type Ending } from "../command.ts";
import { accountOf, timeOf, whence, withHouse } from "../house.ts";
import type { Io } from "../io.ts";
import { askTwice, firstLine } from "../password.ts";

const idOf = ({ publicId, email }: Account) => ({ id: publicId, email });

const nameOf = ({ values }: Call): string | undefined => {
  const name = values.get("name");
  const issue = name === undefined ? undefined : displayNameIssue(name);
  if (issue) throw new Fault(`${issue.message.replace("display_name", "--name")}.`);
  return name?.trim();
};

const zoneOf = ({ values }: Call): string | undefined => {
  const zone = values.get("timezone");
  if (zone !== undefined && !isTimeZone(zone)) {
    throw new Fault("--timezone must be a name of the IANA time zone database, such as Europe/Tallinn.");
  }
  return zone;
};

const refuseTaken = async ({ accounts }: OperatorHouse, email: string): Promise<void> => {
  const owner = await accounts.use.findAccount(email);
  if (owner === undefined || owner === "malformed") return;
  const state = owner.closedAt === null ? "" : ", closed and not erased yet";
  throw new Fault(`${owner.email} has an account already: ${owner.publicId}${state}.`);
};

const passwordOf = async (
  { switches }: Call,
  minimum: number,
  { stdin, stderr }: Io,
): Promise<{ password: Secret; made: boolean }> => {
  if (switches.has("password-stdin")) return { password: await firstLine(stdin), made: false };
  if (stdin.isTTY) return { password: await askTwice(stdin, stderr), made: false };
  return { password: new Secret(newPassword(systemRandom, minimum)), made: true };
};

export const create = async (call: Call, io: Io): Promise<Ending> => {
  const email = parseEmailAddress(call.operand);
  if ("rule" in email) throw new Fault(`${email.message}.`);
  const person = { email, displayName: nameOf(call), timezone: zoneOf(call) };
  const work = async (house: OperatorHouse): Promise<Ending> => {
    await refuseTaken(house, email.canonical);
    const { password, made } = await passwordOf(call, house.config.passwordMin, io);
    const verified = !call.switches.has("unverified");
    const account = await house.accounts.use.createAccount({ ...person, password, verified }, whence());
    const facts = idOf(account);
    if (!made) return { output: facts.id, json: facts, notes: [`${account.email} has an account.`] };
    return {
      output: password.reveal(),
      json: { ...facts, password: password.reveal() },
      notes: [`${account.email} has the account ${facts.id}, with this password.`],
    };
  };
  return withHouse(io, work);
};

export const lock = ({ operand }: Call, io: Io): Promise<Ending> =>
  withHouse(io, async (house) => {
    const account = await accountOf(house, operand);
    const json = { ...idOf(account), locked: true };
    if (account.lockedAt !== null) {
      return { json, notes: [`${account.email} is locked already, since ${timeOf(account.lockedAt)}.`] };
    }
    await house.accounts.use.lockAccount(account.id, whence());
    return {
      json,
      notes: [`${account.email} is locked: its sessions have ended, and none of its credentials works.`],
    };
  });

export const unlock = ({ operand }: Call, io: Io): Promise<Ending> =>
  withHouse(io, async (house) => {
    const account = await accountOf(house, operand);
    const json = { ...idOf(account), locked: false };
    if (account.lockedAt === null) return { json, notes: [`${account.email} is not locked.`] };
    await house.accounts.use.unlockAccount(account.id, whence());
    const closed = account.closedAt === null ? "password and token work again" : "but it is closed";
    return { json, notes: [`${account.email} is unlocked: ${closed}.`] };
  });

const whenErased = (account: Account): string =>
  account.eraseAt === null ? "" : `; it will be erased on ${timeOf(account.eraseAt)}`;

export const close = ({ operand }: Call, io: Io): Promise<Ending> =>
  withHouse(io, async (house) => {
    const account = await accountOf(house, operand);
    const wasClosed = account.closedAt !== null;
    if (!wasClosed) await house.accounts.use.closeAccount(account, { channel: "cli", peer: whence() });
    const after = wasClosed ? account : await house.accounts.use.findAccount(account.publicId);
    if (after === undefined || after === "malformed") {
      return { json: { ...idOf(account), erased: true }, notes: [`${account.email} is closed and erased.`] };
    }
    const at = after.eraseAt === null ? null : new Date(after.eraseAt).toISOString();
    return {
      json: { ...idOf(account), erased: false, erase_at: at },
      notes: [
        wasClosed
          ? `${account.email} is closed already${whenErased(after)}.`
          : `${account.email} is closed${whenErased(after)}. Until then the owner can take it back: the mail says how.`,
      ],
    };
  });

export const resetPassword = ({ operand }: Call, io: Io): Promise<Ending> =>
  withHouse(io, async (house) => {
    const account = await accountOf(house, operand);
    if (account.closedAt !== null)
      throw new Fault(`${account.email} is closed: its owner must take it back first.`);
    if (account.lockedAt !== null) throw new Fault(`${account.email} is locked: unlock it first.`);
    const { code, expiresAt } = await house.accounts.use.issueReset(account.id, whence());
    const { reset } = linksAt(house.config.origin);
    return {
      output: code.reveal(),
      json: {
        ...idOf(account),
        code: code.reveal(),
        link: `${reset}#${code.reveal()}`,
        expires_at: new Date(expiresAt).toISOString(),
      },
      notes: [
        `Valid for 30 minutes, once: ${account.email} enters it at ${reset} and chooses a new password.`,
      ],
    };
  });
