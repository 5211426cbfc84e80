/** Mail through a mail server. */
import { createTransport } from "nodemailer";
import { isIP } from "node:net";

import { second } from "../clock.ts";
import { SetupFault } from "../errors.ts";
import type { Secret } from "../secret.ts";
import { composeMail, type MailTransport, type Sender } from "./message.ts";
import { readSmtpUrl } from "../text/smtp-url.ts";

/** The whole conversation, however slowly the server talks; the courier counts on it. */
const longestSendMs = 90 * second;

/** @throws SetupFault when the URL can't be used; it does not quote it */
const connectorOf = ({ url, host }: { readonly url: Secret; readonly host: string }) => {
  const server = readSmtpUrl(url.reveal());
  if (typeof server === "string") throw new SetupFault(`LATCHKEY_SMTP_URL ${server}.`);
  const { port, auth, name = isIP(host) === 0 ? host : undefined, ...rest } = server;
  return createTransport({
    ...rest,
    connectionTimeout: 10 * second,
    greetingTimeout: 10 * second,
    dnsTimeout: 10 * second,
    socketTimeout: 30 * second,
    ...(port === undefined ? {} : { port }),
    ...(auth === undefined ? {} : { auth }),
    ...(name === undefined ? {} : { name }),
  });
};

/**
 * Goes to the mail server as for a mail, signs in when the URL has a password, and leaves again.
 *
 * @throws Error with a `code`, as nodemailer has it, when mails could not be sent this way
 */
export const tryMailServer = async (to: { readonly url: Secret; readonly host: string }): Promise<void> => {
  const connector = connectorOf(to);
  try {
    await connector.verify();
  } finally {
    connector.close();
  }
};

/**
 * @param url `smtp://user:password@host:587` (STARTTLS when offered, and required before a password goes to a
 * host that is not this machine) or `smtps://…`; options may follow as a query (`smtpOptions`)
 * @throws SetupFault when the URL can't be used; it does not quote it
 */
export const createSmtpTransport = ({ url, ...sender }: Sender & { readonly url: Secret }): MailTransport => {
  const transport = connectorOf({ url, host: sender.host });

  return {
    send: async (mail) => {
      const { bytes, envelope } = await composeMail(mail, sender, false);
      try {
        await transport.sendMail({ raw: bytes, envelope, signal: AbortSignal.timeout(longestSendMs) });
        return "sent";
      } catch (error) {
        const code = recipientRefusal(error);
        if (code !== undefined) return { refused: code };
        throw error;
      }
    },
  };
};

/**
 * A 5xx answer to RCPT TO (RFC 5321 §4.2.1): the address is wrong for good. To any other command a 5xx says
 * that something is wrong with us (password, sender, content), which the operator can mend while the mail waits.
 */
const recipientRefusal = (error: unknown): number | undefined => {
  if (!(error instanceof Error && "command" in error && error.command === "RCPT TO")) return undefined;
  const code = "responseCode" in error ? error.responseCode : undefined;
  return typeof code === "number" && code >= 500 ? code : undefined;
};
