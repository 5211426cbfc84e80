import { userInfo } from "node:os";
import type { Account, Whence } from "#accounts";
import { openOperatorHouse, type OperatorHouse } from "#app/operator.ts";
import { systemClock } from "#kernel/clock.ts";
import type { Config } from "#kernel/config.ts";
import { createLog, type Log } from "#kernel/telemetry/log.ts";
import { Fault } from "./command.ts";
import { configOf, type Io } from "./io.ts";

/** A command tells what went wrong by its ending; only somebody who asked for everything sees the log as well. */
export const commandLog = (config: Config, { stderr }: Io): Log =>
  createLog({
    level: config.logLevel === "debug" ? "debug" : "silent",
    clock: systemClock,
    destination: stderr,
  });

/** Opens the house for one command, and leaves nothing open behind it. */
export const withHouse = async <Result>(
  io: Io,
  work: (house: OperatorHouse) => Promise<Result>,
): Promise<Result> => {
  const config = configOf(io);
  const house = await openOperatorHouse(config, commandLog(config, io));
  try {
    return await work(house);
  } finally {
    await house.close();
  }
};

const userOfMachine = (): string => {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? "unknown"}`; // a container's user may have no name
  }
};

/** In the place of a client, the audit names the user of this machine. */
export const whence = (): Whence => ({ userAgent: `latchkey command line, ${userOfMachine()}` });

/** @throws Fault when there is no such account */
export const accountOf = async ({ accounts }: OperatorHouse, typed: string): Promise<Account> => {
  const account = await accounts.use.findAccount(typed);
  if (account === "malformed") throw new Fault("Name the account by its e-mail address or its public id.");
  if (!account) throw new Fault(`There is no account ${typed}.`);
  return account;
};

/** A day and a minute, as an operator reads it. */
export const timeOf = (at: number): string =>
  `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
