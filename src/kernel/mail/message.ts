/** A mail as the rooms write it, and how it becomes the bytes that travel. */
import MailComposer from "nodemailer/lib/mail-composer";
import { quotedMailbox } from "../text/email-address.ts";

export type MailMessage = {
  /** One address of ASCII characters, without a name. */
  readonly to: string;
  /** One line. */
  readonly subject: string;
  readonly text: string;
  readonly html: string;
};

/** A mail on its way. */
export type QueuedMail = {
  /** 32 hex digits; the part of the Message-ID before the `@`. */
  readonly id: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly message: MailMessage;
};

/** Where mails go. */
export type MailTransport = {
  /**
   * Ends within 2 minutes. `refused`, with the mail server's code: the recipient does not exist and never will.
   * @throws Error when it has to be tried again; one with a `code` tells the operator why
   */
  send(mail: QueuedMail): Promise<"sent" | { readonly refused: number }>;
};

export type Sender = {
  /** `Latchkey <no-reply@id.example.com>` */
  readonly from: string;
  /** The host of our origin: the part of the Message-ID behind the `@`. */
  readonly host: string;
};

export type ComposedMail = {
  /** RFC 5322, lines end in CR LF. */
  readonly bytes: Buffer;
  readonly envelope: { readonly from: string | false; readonly to: string[] };
};

// A local part of the characters of a dot-atom (RFC 5322) and a host name: nothing that could be read as two.
const addressForm = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}$/;
const control = /[\p{Cc}\u2028\u2029]/u;

/**
 * The last gate in front of the mail's headers, for whatever way an address or a subject took.
 * @throws TypeError when `to` is not exactly one plain address, or the subject is not one line
 */
export const assertSafe = ({ to, subject }: MailMessage): void => {
  if (!addressForm.test(to)) throw new TypeError("a mail goes to one plain ASCII address");
  if (control.test(subject)) throw new TypeError("a mail's subject is one line without control characters");
};

const isAscii = (text: string): boolean => /^[\t\r\n\u0020-\u007e]*$/.test(text);
/** RFC 5322 §2.1.1, in bytes. */
const fitsLines = (text: string): boolean =>
  text.split(/\r?\n/).every((line) => Buffer.byteLength(line) <= 998);

/**
 * A part that is sent as it stands, so that whoever looks at the raw mail finds codes and links whole: the
 * composer by itself would break each line of more than 76 characters with `=`.
 */
const part = (type: "plain" | "html", text: string, eightBit: boolean) => {
  const encoding = isAscii(text) ? "7bit" : "8bit";
  if (!fitsLines(text) || (encoding === "8bit" && !eightBit)) {
    return {
      contentType: `text/${type}; charset=utf-8`,
      content: text,
      contentTransferEncoding: "quoted-printable",
    };
  }
  const head = [`Content-Type: text/${type}; charset=utf-8`, `Content-Transfer-Encoding: ${encoding}`];
  return { raw: [...head, "", ...text.split(/\r?\n/)].join("\r\n") };
};

/**
 * The same bytes each time but for the boundary, so that a mail which arrives twice can be recognised.
 *
 * @param eightBit whether text beyond ASCII may stand unencoded, which not every mail server takes
 * @throws TypeError as `assertSafe`
 */
export const composeMail = async (
  { id, createdAt, message }: QueuedMail,
  { from, host }: Sender,
  eightBit: boolean,
): Promise<ComposedMail> => {
  assertSafe(message);
  const node = new MailComposer({
    from,
    to: { name: "", address: quotedMailbox(message.to) },
    subject: message.subject,
    messageId: `<${id}@${host}>`,
    date: new Date(createdAt),
    // RFC 3834: no out-of-office answers, please.
    headers: { "Auto-Submitted": "auto-generated" },
    alternatives: [part("plain", message.text, eightBit), part("html", message.html, eightBit)],
    disableFileAccess: true,
    disableUrlAccess: true,
  }).compile();
  const { from: sender } = node.getEnvelope();
  return { bytes: await node.build(), envelope: { from: sender, to: [quotedMailbox(message.to)] } };
};
