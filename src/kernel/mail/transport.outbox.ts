/** Mail as files, for a server without a mail server: each one an `.eml` in `<data>/outbox/`. */
import { open, rename, type FileHandle } from "node:fs/promises";
import { join } from "node:path";

import { makeFolder } from "../folder.ts";
import { composeMail, type MailTransport, type QueuedMail, type Sender } from "./message.ts";

/** `20261121T230155123Z-<queue id>.eml`: in the order of their making, and the same name when tried again. */
const outboxFileName = ({ id, createdAt }: Pick<QueuedMail, "id" | "createdAt">): string =>
  `${new Date(createdAt).toISOString().replaceAll(/[-:.]/g, "")}-${id}.eml`;

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
