// Mails as a person finds them: files in the outbox, or what an SMTP server took.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export type Mail = {
  readonly raw: string;
  readonly to: string;
  readonly subject: string;
  /** The plain text part. */
  readonly text: string;
  readonly html: string;
};

const headerOf = (raw: string, name: string): string =>
  new RegExp(`^${name}: (.*(?:\n[ \t].*)*)`, "mi")
    .exec(raw.split("\n\n", 1)[0] ?? "")?.[1]
    ?.replaceAll(/\n[ \t]/g, " ") ?? "";

const partOf = (raw: string, type: string): string =>
  new RegExp(`^Content-Type: ${type}.*\n(?:.+\n)*\n([\\s\\S]*?)\n--`, "mi").exec(raw)?.[1] ?? "";

export const parseMail = (bytes: string): Mail => {
  const raw = bytes.replaceAll("\r\n", "\n");
  return {
    raw,
    to: headerOf(raw, "To"),
    subject: headerOf(raw, "Subject"),
    text: partOf(raw, "text/plain"),
    html: partOf(raw, "text/html"),
  };
};

const readMail = async (path: string): Promise<Mail> => parseMail(await readFile(path, "utf8"));

/** A file is written once and has a name of its own, so none is read twice. */
const read = new Map<string, Promise<Mail>>();

/** Oldest first. */
export const readOutbox = async (folder: string): Promise<readonly Mail[]> => {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".eml")).toSorted();
  return Promise.all(
    names.map((name) => {
      const path = join(folder, name);
      const mail = read.get(path) ?? readMail(path);
      read.set(path, mail);
      return mail;
    }),
  );
};

/** The code that stands alone on a line of the mail. */
export const codeIn = (mail: Mail | undefined): string => {
  const code = /^[0-9a-hjkmnp-tv-z]{26}$/m.exec(mail?.text ?? "")?.[0];
  if (code === undefined) throw new Error(`No code in the mail ${JSON.stringify(mail?.subject)}`);
  return code;
};

/** The link that stands alone on a line of the mail. */
export const linkIn = (mail: Mail | undefined): string => {
  const link = /^https?:\/\/\S+$/m.exec(mail?.text ?? "")?.[0];
  if (link === undefined) throw new Error(`No link in the mail ${JSON.stringify(mail?.subject)}`);
  return link;
};
