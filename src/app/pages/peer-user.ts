import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";

type Ports = { readonly near: number; readonly far: number };

/** Of a table of TCP connections (proc_net(5)): slot, the two ends, their state, queues and timers, and whose it is. */
const connection = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) \S+ \S+ \S+ \S+ +(\d+) /;

/**
 * Whose connections have these ports on our side and on the caller's, as the caller's end stands in the tables. More than
 * one have when they differ in addresses.
 *
 * @param table what is in `/proc/net/tcp` or `/proc/net/tcp6`
 */
export const usersOf = (table: string, { near, far }: Ports): readonly number[] =>
  table.split("\n").flatMap((line) => {
    const [, from, to, user] = connection.exec(line) ?? [];
    if (from === undefined || to === undefined || user === undefined) return [];
    return Number.parseInt(from, 16) === far && Number.parseInt(to, 16) === near ? [Number(user)] : [];
  });

/**
 * Whether the other end of a connection within this machine is held by a process of the user who runs this server: what
 * only they may read of the server's files, nobody else is shown. A program that passes on what others send is the
 * caller, so one of another user opens nothing. Linux tells whose a connection is; elsewhere this is true of everybody.
 *
 * @param user as the system numbers them; our own unless a test says another
 */
export const isOfOurUser = async (
  socket: Pick<Socket, "localPort" | "remotePort">,
  user = process.getuid?.(),
): Promise<boolean> => {
  if (process.platform !== "linux" || user === undefined) return true;
  const { localPort: near, remotePort: far } = socket;
  // Gone by now.
  if (near === undefined || far === undefined) return false;
  const tables = await Promise.all(
    ["/proc/net/tcp", "/proc/net/tcp6"].map((path) => readFile(path, "utf8").catch(() => "")),
  );
  const users = tables.flatMap((table) => usersOf(table, { near, far }));
  return users.length > 0 && users.every((one) => one === user);
};
