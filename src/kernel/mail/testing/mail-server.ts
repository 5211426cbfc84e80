/** A real mail server on loopback that keeps what it takes, and can be told to refuse. */
import { once } from "node:events";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { onTestFinished } from "vitest";

export type TakenMail = { readonly from: string; readonly to: readonly string[]; readonly raw: string };

export type MailServer = {
  readonly url: string;
  readonly port: number;
  readonly taken: readonly TakenMail[];
  stop(): Promise<void>;
};

/** An answer of the server, as smtp-server wants it. */
export const smtpAnswer = (responseCode: number, text: string): Error =>
  Object.assign(new Error(text), { responseCode });

export const startMailServer = async (options: SMTPServerOptions = {}, port = 0): Promise<MailServer> => {
  const taken: TakenMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        const raw = Buffer.concat(chunks).toString("utf8");
        taken.push({ from: mailFrom ? mailFrom.address : "", to: rcptTo.map(({ address }) => address), raw });
        done();
      });
    },
    ...options,
  });
  // A client that leaves in the middle is no fault of the server.
  server.on("error", () => undefined);
  server.listen(port, "127.0.0.1");
  await once(server.server, "listening");
  const bound = server.server.address();
  if (bound === null || typeof bound === "string") throw new Error("The mail server has no port");
  let running = true;
  const stop = async (): Promise<void> => {
    if (!running) return;
    running = false;
    const { promise, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    await promise;
  };
  onTestFinished(stop);
  return { url: `smtp://127.0.0.1:${bound.port}`, port: bound.port, taken, stop };
};
