import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { outboxFolder } from "#app/open-store.ts";
import { minute, systemClock } from "#kernel/clock.ts";
import type { Config } from "#kernel/config.ts";
import type { Store } from "#kernel/db/store.ts";
import { reasonOf } from "#kernel/errors.ts";
import { mailsWaiting } from "#kernel/mail/queue.ts";
import { tryMailServer } from "#kernel/mail/transport.smtp.ts";
import type { Secret } from "#kernel/secret.ts";
import { isLoopbackHost } from "#kernel/text/host.ts";
import { timeOf } from "../house.ts";
import { fail, ok, warn, type Finding } from "./finding.ts";

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";

const remedyOf = (error: unknown): string => {
  const reason = reasonOf(error);
  switch (codeOf(error)) {
    case "EAUTH":
      return "Correct user and password in LATCHKEY_SMTP_URL; in a URL, characters such as @ : / are written %40 %3A %2F.";
    case "ETLS":
      return "The server offers no encryption, and the password is not sent without: use the port it offers it on.";
    case "EDNS":
      return "Correct the host in LATCHKEY_SMTP_URL.";
    case "ETIMEDOUT":
      return "Check host and port in LATCHKEY_SMTP_URL, and whether a firewall is in between.";
    default:
      if (/certificate|self.signed|altnames|unable to verify/i.test(reason)) {
        return "The certificate must be for that host. If an authority of your own signed it, start the server with NODE_EXTRA_CA_CERTS=/path/to/ca.pem; the option ?tls.rejectUnauthorized=false in LATCHKEY_SMTP_URL believes any certificate, ?ignoreTLS=true uses none.";
      }
      return /wrong version number|ssl|tls/i.test(reason)
        ? "smtps:// is for ports that begin with TLS (465), smtp:// for the others (587)."
        : "Check host and port in LATCHKEY_SMTP_URL, and that the mail server runs.";
  }
};

const withoutSecrets = (text: string, url: URL): string =>
  [url.password, decodeURIComponent(url.password)]
    .filter((secret) => secret !== "")
    .reduce((shown, secret) => shown.replaceAll(secret, "[secret]"), text);

const checkServer = async (smtpUrl: Secret, config: Config): Promise<Finding> => {
  const url = new URL(smtpUrl.reveal());
  const server = url.host;
  try {
    await tryMailServer({ url: smtpUrl, host: config.origin.hostname });
    return ok(
      "mail",
      url.username === ""
        ? `The mail server ${server} answers, and was given no password; nothing was sent, so it may still refuse to pass mail on.`
        : `The mail server ${server} takes our user and password; nothing was sent.`,
    );
  } catch (error) {
    const reason = withoutSecrets(reasonOf(error).replaceAll(/\s+/g, " ").replace(/\.$/, ""), url);
    return fail("mail", `Mail can't be sent through ${server}: ${reason}.`, remedyOf(error));
  }
};

const checkOutbox = async (config: Config): Promise<Finding> => {
  const folder = outboxFolder(config);
  try {
    await stat(folder);
  } catch {
    return ok("mail", `Mails will become files in ${folder}, which the first start makes.`);
  }
  try {
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    return fail(
      "mail",
      `Mails can't be written to ${folder}: ${reasonOf(error)}.`,
      "Let the server's user write there.",
    );
  }
  if (isLoopbackHost(config.origin.hostname)) return ok("mail", `Mails become files in ${folder}.`);
  return warn(
    "mail",
    `Mails become files in ${folder} and reach nobody.`,
    "Set LATCHKEY_SMTP_URL, unless something else of yours delivers those files.",
  );
};

/** Whether mail can leave the house. */
export const checkMail = (config: Config): Promise<Finding> =>
  config.smtpUrl ? checkServer(config.smtpUrl, config) : checkOutbox(config);

/** Whether mails are stuck. A mail of the last minutes may be on its way. */
export const checkQueue = async (store: Store): Promise<Finding> => {
  const { mails, failing, since } = await mailsWaiting(store.query);
  if (mails === 0 || since === undefined) return ok("queue", "No mail waits.");
  const waiting = mails === 1 ? "1 mail waits" : `${mails} mails wait`;
  if (failing > 0) {
    return warn(
      "queue",
      `${waiting} since ${timeOf(since)}; ${failing} could not be delivered so far.`,
      "See the mail check; the server's log has the reason under mail_postponed. Each is tried again until it expires.",
    );
  }
  if (systemClock.now() - since < 5 * minute)
    return ok("queue", `${waiting} for the server to send ${mails === 1 ? "it" : "them"}.`);
  return warn(
    "queue",
    `${waiting} since ${timeOf(since)}.`,
    "Start the server: only a running one sends mail.",
  );
};
