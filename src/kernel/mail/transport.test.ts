import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";

import { day } from "../clock.ts";
import { Secret } from "../secret.ts";
import { composeMail, type MailMessage, type QueuedMail } from "./message.ts";
import { startMailServer } from "./testing/mail-server.ts";
import { openTestStore } from "./testing/store.ts";
import { createOutboxTransport, purgeOutbox } from "./transport.outbox.ts";
import { createSmtpTransport } from "./transport.smtp.ts";

const sender = { from: "Latchkey <no-reply@id.example.com>", host: "id.example.com" };
const code = "0123456789abcdefghjkmnpqrs";
const link = `https://a-rather-long-host-name-of-somebody.accounts.example.com/reset#${code}`;
const message: MailMessage = {
  to: "alice@example.com",
  subject: "Reset your password",
  text: `Follow this:\n\n${link}\n\nOr enter this code:\n\n${code}\n\n.\nFrom here on = nothing.\n`,
  html: `<p><a href="${link}">${link}</a></p>\n<p style="letter-spacing:1px">${code}</p>\n`,
};
const mail = (changes: Partial<MailMessage> = {}): QueuedMail => ({
  id: "0123456789abcdef0123456789abcdef",
  createdAt: Date.parse("2026-11-21T23:01:55.123Z"),
  message: { ...message, ...changes },
});

const openOutbox = async () => {
  const folder = join((await openTestStore()).folder, "outbox");
  const transport = createOutboxTransport({ ...sender, folder });
  const only = async (): Promise<string> => {
    const [name = "", ...others] = await readdir(folder);
    expect(others).toEqual([]);
    return readFile(join(folder, name), "utf8");
  };
  return { folder, transport, only };
};

describe("the outbox", () => {
  test("has a file a mail, named by time and id, for the server's user only", async () => {
    const { folder, transport } = await openOutbox();
    expect(await transport.send(mail())).toBe("sent");
    const [name = ""] = await readdir(folder);
    expect(name).toBe("20261121T230155123Z-0123456789abcdef0123456789abcdef.eml");
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  });

  test("has one file for a mail that is tried again", async () => {
    const { folder, transport } = await openOutbox();
    await transport.send(mail());
    await transport.send(mail());
    expect(await readdir(folder)).toHaveLength(1);
  });

  test.each([
    ["ASCII", message.text],
    ["other letters", `Grüße, 田中さん — hier:\n${message.text}`],
  ])("can be searched line by line: the code alone on a line, the link whole (%s)", async (_, text) => {
    const { transport, only } = await openOutbox();
    await transport.send(mail({ text }));
    const lines = (await only()).split("\n");
    expect(lines.filter((line) => line === code)).toHaveLength(1);
    expect(lines.filter((line) => line === link)).toHaveLength(1);
    expect(lines).toContain(`<p><a href="${link}">${link}</a></p>`);
    for (const line of text.split("\n")) expect(lines).toContain(line);
  });

  test("writes the headers of one mail to one address", async () => {
    const { transport, only } = await openOutbox();
    await transport.send(mail({ subject: "Grüße" }));
    const [head = ""] = (await only()).split("\n\n");
    const headers = head
      .split("\n")
      .filter((line) => !/^\s/.test(line))
      .toSorted();
    expect(headers).toEqual([
      "Auto-Submitted: auto-generated",
      expect.stringMatching(/^Content-Type: multipart\/alternative;/),
      "Date: Sat, 21 Nov 2026 23:01:55 +0000",
      "From: Latchkey <no-reply@id.example.com>",
      "MIME-Version: 1.0",
      "Message-ID: <0123456789abcdef0123456789abcdef@id.example.com>",
      expect.stringMatching(/^Subject: =\?UTF-8\?/),
      "To: alice@example.com",
    ]);
  });

  test("keeps 1,000 mails for 7 days, and whatever else lies there", async () => {
    const { folder, transport } = await openOutbox();
    const now = Date.parse("2026-11-21T23:01:55.123Z");
    expect(await purgeOutbox(folder, now)).toBe(0);
    await transport.send(mail());
    await writeFile(join(folder, "mine.eml"), "mine");
    await writeFile(join(folder, `.20200101T000000000Z-${"0".repeat(32)}.eml.tmp`), "left behind");

    expect(await purgeOutbox(folder, now + 7 * day)).toBe(1);
    expect(await readdir(folder)).toHaveLength(2);
    for (let index = 0; index < 1000; index += 1) {
      const name = `20261122T000000${String(index).padStart(3, "0")}Z-${"0".repeat(32)}.eml`;
      await writeFile(join(folder, name), "");
    }
    expect(await purgeOutbox(folder, now + 7 * day)).toBe(1);
    expect(await purgeOutbox(folder, now + 8 * day)).toBe(1000);
    expect(await readdir(folder)).toEqual(["mine.eml"]);
  });

  test("refuses an unsafe address or subject itself too", async () => {
    const { transport } = await openOutbox();
    await expect(transport.send(mail({ to: "a@b.example,c@d.example" }))).rejects.toThrow(TypeError);
    await expect(transport.send(mail({ subject: "a\r\nBcc: c@d.example" }))).rejects.toThrow(TypeError);
  });

  test("fails when it can't write, so that the courier tries again", async () => {
    const { folder } = await openTestStore();
    const transport = createOutboxTransport({ ...sender, folder: join("/dev/null", folder) });
    await expect(transport.send(mail())).rejects.toThrow(/ENOTDIR/);
  });
});

describe("SMTP", () => {
  test("carries plain text as it is, dots and all", async () => {
    const server = await startMailServer();
    await createSmtpTransport({ ...sender, url: new Secret(server.url) }).send(mail());
    const [taken] = server.taken;
    expect(taken).toMatchObject({ from: "no-reply@id.example.com", to: ["alice@example.com"] });
    expect(taken?.raw).toContain("Content-Transfer-Encoding: 7bit");
    expect(taken?.raw).toContain(message.text.replaceAll("\n", "\r\n"));
    expect(taken?.raw).toContain(message.html.replaceAll("\n", "\r\n"));
  });

  test("carries other letters as quoted-printable in ASCII, and a code is still a line", async () => {
    const server = await startMailServer();
    await createSmtpTransport({ ...sender, url: new Secret(server.url) }).send(
      mail({ text: `Grüße\n${code}\n` }),
    );
    const raw = server.taken[0]?.raw ?? "";
    expect(raw).toMatch(/^[\t\r\n -~]*$/);
    expect(raw).toContain(
      `Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe\r\n${code}\r\n`,
    );
  });

  test("breaks lines that are longer than a mail may have", async () => {
    const { bytes } = await composeMail(mail({ html: "x".repeat(5000) }), sender, true);
    expect(
      Math.max(
        ...bytes
          .toString()
          .split("\r\n")
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(998);
  });

  test("gives a password to this machine in the clear, to another one only over TLS", async () => {
    const logins: unknown[] = [];
    const server = await startMailServer({
      onAuth: ({ username, password }, _session, done) => {
        logins.push([username, password]);
        done(null, { user: "me" });
      },
    });
    const at = (host: string) => new Secret(`smtp://me:p%40ss%2Fword@${host}:${server.port}`);
    // In capitals it is a name like any other to the rule, and still reaches our server.
    const elsewhere = createSmtpTransport({ ...sender, url: at("LOCALHOST") });
    await expect(elsewhere.send(mail())).rejects.toMatchObject({ code: "ETLS" });
    expect([logins, server.taken]).toEqual([[], []]);
    await createSmtpTransport({ ...sender, url: at("127.0.0.1") }).send(mail());
    expect(logins).toEqual([["me", "p@ss/word"]]);
    expect(server.taken).toHaveLength(1);
  });

  test("uses STARTTLS when it is offered; only here, and without a password, any certificate does", async () => {
    const secure: boolean[] = [];
    const server = await startMailServer({
      disabledCommands: [],
      onAuth: (_auth, _session, done) => done(null, { user: "me" }),
      onMailFrom: (_address, session, done) => {
        secure.push(session.secure);
        done();
      },
    });
    // In capitals it is a name like any other to the rule, and still reaches our server.
    const elsewhere = `smtp://LOCALHOST:${server.port}`;
    const careful = [elsewhere, `smtp://me:x@127.0.0.1:${server.port}`, `${server.url}?requireTLS=true`];
    for (const url of careful) {
      await expect(
        createSmtpTransport({ ...sender, url: new Secret(url) }).send(mail()),
      ).rejects.toMatchObject({
        code: "ESOCKET",
      });
    }
    expect(server.taken).toEqual([]);
    for (const url of [
      server.url,
      `${elsewhere}?tls.rejectUnauthorized=false`,
      `${server.url}?ignoreTLS=true`,
    ]) {
      await createSmtpTransport({ ...sender, url: new Secret(url) }).send(mail());
    }
    expect(secure).toEqual([true, true, false]);
  });

  test("quotes an address that is no dot-string, and nothing else", async () => {
    let heard = "";
    // Real servers differ in what they take here: this one takes everything, and is not asked what it makes of it.
    const server = createServer((socket) => {
      let inMail = false;
      socket.write("220 here\r\n");
      socket.setEncoding("utf8").on("data", (text: string) => {
        heard += text;
        if (inMail && !heard.endsWith("\r\n.\r\n")) return;
        inMail = text.startsWith("DATA");
        if (text.startsWith("QUIT")) socket.end("221 bye\r\n");
        else socket.write(inMail ? "354 go on\r\n" : "250 well\r\n");
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const transport = createSmtpTransport({ ...sender, url: new Secret(`smtp://127.0.0.1:${port}`) });
    expect(await transport.send(mail({ to: "a..b.@docomo.ne.jp" }))).toBe("sent");
    expect(await transport.send(mail({ to: "a.b@docomo.ne.jp" }))).toBe("sent");
    expect(heard.match(/^(?:RCPT TO|To): ?.*$/gm)?.map((line) => line.trim())).toEqual([
      'RCPT TO:<"a..b."@docomo.ne.jp>',
      'To: <"a..b."@docomo.ne.jp>',
      "RCPT TO:<a.b@docomo.ne.jp>",
      "To: a.b@docomo.ne.jp",
    ]);
  });

  test("a server that hangs up is a failure, not a refusal", async () => {
    const server = createServer((socket) => socket.end("554 go away\r\n"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const transport = createSmtpTransport({ ...sender, url: new Secret(`smtp://127.0.0.1:${port}`) });
    await expect(transport.send(mail())).rejects.toThrow(Error);
  });
});
