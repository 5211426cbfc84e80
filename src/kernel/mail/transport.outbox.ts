/** Mail as files, for a server without a mail server: each one an `.eml` in `<data>/outbox/`. */
import { open, readdir, rename, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";

import { day } from "../clock.ts";
import { isMissing, makeFolder } from "../folder.ts";
import { composeMail, type MailTransport, type QueuedMail, type Sender } from "./message.ts";

/** `20261121T230155123Z-<queue id>.eml`: in the order of their making, and the same name when tried again. */
const outboxFileName = ({ id, createdAt }: Pick<QueuedMail, "id" | "createdAt">): string =>
  `${new Date(createdAt).toISOString().replaceAll(/[-:.]/g, "")}-${id}.eml`;

/** Codes of strangers lie there in the clear, and anybody can have mails written. */
const keptMs = 7 * day;
const mostKept = 1000;

/** Whether we wrote it, and whether it is whole. */
const ownName = /^\.?\d{8}T\d{9}Z-[0-9a-f]{32}\.eml(?:\.tmp)?$/;

const timePart = (name: string): string => name.replace(/^\./, "").slice(0, 19);

/**
 * Removes the mails of a folder that are older than 7 days, and the oldest beyond 1,000. Whatever else lies there stays.
 *
 * @param now epoch milliseconds
 * @returns how many it removed
 */
export const purgeOutbox = async (folder: string, now: number): Promise<number> => {
  const names = await readdir(folder).catch((error: unknown) => {
    // It is made with the first mail.
    if (isMissing(error)) return [];
    throw error;
  });
  const oldest = timePart(outboxFileName({ id: "", createdAt: now - keptMs }));
  const newestFirst = names
    .filter((name) => ownName.test(name))
    .toSorted((a, b) => (timePart(a) < timePart(b) ? 1 : -1));
  const useless = newestFirst.filter((name, index) => index >= mostKept || timePart(name) < oldest);
  for (const name of useless) await rm(join(folder, name), { force: true });
  return useless.length;
};

const sync = async (file: FileHandle, work: (file: FileHandle) => Promise<void>): Promise<void> => {
  try {
    await work(file);
    await file.sync();
  } finally {
    await file.close();
  }
};

/**
 * Files (0600) appear whole or not at all, in a folder (0700) that is made when it is missing. Their lines end in
 * LF, as in a Maildir, so that the usual tools of a terminal find a line that is a code.
 */
export const createOutboxTransport = ({
  folder,
  ...sender
}: Sender & { readonly folder: string }): MailTransport => ({
  send: async (mail) => {
    const { bytes } = await composeMail(mail, sender, true);
    await makeFolder(folder);
    const name = outboxFileName(mail);
    const draft = join(folder, `.${name}.tmp`);
    await sync(await open(draft, "w", 0o600), (file) =>
      file.writeFile(bytes.toString("utf8").replaceAll("\r\n", "\n")),
    );
    await rename(draft, join(folder, name));
    // The new name is on disk only when the folder is. Windows can't open one.
    if (process.platform !== "win32") await sync(await open(folder, "r"), async () => undefined);
    return "sent";
  },
});
