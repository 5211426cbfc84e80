import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import PostalMime from "postal-mime";
import { isMissing } from "#kernel/folder.ts";

export type OutboxMail = {
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  /** RFC 3339 */
  readonly at: string;
  readonly text: string;
};

const most = 50;

/** As the outbox names its files: by the time at which the mail was queued. Whatever else lies there is none of ours. */
const fileName = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-[\w-]+\.eml$/;

/** Undefined when it is no mail, or gone since the folder was read: one file must not hide the others. */
const readMail = async (folder: string, name: string): Promise<OutboxMail | undefined> => {
  try {
    const mail = await PostalMime.parse(await readFile(join(folder, name)));
    return {
      id: name.replace(/\.eml$/, ""),
      to: mail.to?.map(({ address }) => address ?? "").join(", ") ?? "",
      subject: mail.subject ?? "",
      at: name.replace(fileName, "$1-$2-$3T$4:$5:$6.$7Z"),
      text: mail.text ?? "",
    };
  } catch {
    return undefined;
  }
};

/** The newest mails of an outbox folder, the newest first. Their file names are in the order of their making. */
export const readOutboxMails = async (folder: string): Promise<readonly OutboxMail[]> => {
  const names = await readdir(folder).catch((error: unknown) => {
    // The folder is made with the first mail.
    if (isMissing(error)) return [];
    throw error;
  });
  const newest = names
    .filter((name) => fileName.test(name))
    .toSorted()
    .toReversed()
    .slice(0, most);
  const mails = await Promise.all(newest.map((name) => readMail(folder, name)));
  return mails.filter((mail) => mail !== undefined);
};
