/** A queue and couriers over a store of the test's own. */
import { parseRootKeys } from "../../crypto/root-keys.ts";
import type { Store } from "../../db/store.ts";
import type { Random } from "../../ids.ts";
import { Secret } from "../../secret.ts";
import { createCourier } from "../courier.ts";
import type { MailMessage, MailTransport } from "../message.ts";
import { createMailQueue, type EnqueueOptions } from "../queue.ts";
import { createSmtpTransport } from "../transport.smtp.ts";
import { createTestLog, openTestStore } from "./store.ts";

const rootKeys = parseRootKeys(`one:${Buffer.alloc(32, 1).toString("base64")}`, "here");
export const code = "0123456789abcdefghjkmnpqrs";
export const message: MailMessage = {
  to: "alice@example.com",
  subject: "Reset your password",
  text: `Here:\n\n${code}\n`,
  html: `<p>${code}</p>\n`,
};

/** Where nobody listens. */
export const nowhere = "smtp://127.0.0.1:1";

export const openPostOffice = async (url: string) => {
  const kernel = { ...(await openTestStore()), rootKeys };
  const log = createTestLog();
  let wake = (): void => undefined;
  const queue = createMailQueue({ ...kernel, wake: () => wake() });
  const smtp = createSmtpTransport({
    url: new Secret(url),
    from: "Latchkey <no-reply@id.test>",
    host: "id.test",
  });
  const courier = (
    store: Store = kernel.store,
    transport: MailTransport = smtp,
    random: Random = kernel.random,
  ) => createCourier({ ...kernel, store, log, transport, random });
  const enqueue = (what: MailMessage = message, options?: EnqueueOptions): Promise<void> =>
    kernel.store.transaction((tx) => queue.enqueue(tx, what, options));
  const rows = () => kernel.store.query.selectFrom("mail_queue").selectAll().execute();
  return { ...kernel, log, queue, courier, enqueue, rows, onWake: (work: () => void) => void (wake = work) };
};
