import { expect, test } from "vitest";
import { readSmtpUrl } from "./smtp-url.ts";

test.each([
  [
    "smtp://127.0.0.1:25",
    { host: "127.0.0.1", port: 25, secure: false, requireTLS: false, opportunisticTLS: true },
  ],
  [
    "smtp://localhost?requireTLS=1",
    { requireTLS: true, opportunisticTLS: false, tls: { rejectUnauthorized: true } },
  ],
  [
    "smtp://me:p%40ss@localhost",
    { auth: { user: "me", pass: "p@ss" }, requireTLS: false, opportunisticTLS: false },
  ],
  [
    "smtp://me:x@mail.example.com:587",
    { requireTLS: true, opportunisticTLS: false, tls: { rejectUnauthorized: true } },
  ],
  ["smtp://mail.example.com", { requireTLS: false, opportunisticTLS: false, port: undefined }],
  ["smtps://me:x@[2001:db8::1]:465", { secure: true, host: "2001:db8::1", requireTLS: false }],
  ["smtp://mail.example.com?ignoreTLS=true&name=id.example.com", { ignoreTLS: true, name: "id.example.com" }],
  [
    "smtps://mail.example.com?tls.rejectUnauthorized=false&tls.servername=mx.example.com",
    { tls: { rejectUnauthorized: false, servername: "mx.example.com" } },
  ],
])("%s", (text, server) => {
  expect(readSmtpUrl(text)).toMatchObject(server);
});

test.each([
  ["smtp://localhost?ignoreTls=true", /^has an option that is none: there are ignoreTLS, /],
  ["smtp://localhost?debug=true", /^has an option that is none/],
  ["smtp://localhost?ignoreTLS=perhaps", /^must have true or false as ignoreTLS$/],
  ["smtp://localhost?name=", /^has nothing as name$/],
  ["smtps://localhost?ignoreTLS=true", /of no effect with smtps:/],
  ["smtps://localhost?requireTLS=true", /of no effect with smtps:/],
  [
    "smtp://localhost?ignoreTLS=true&tls.rejectUnauthorized=false",
    /beside ignoreTLS, where it is of no effect$/,
  ],
  ["smtp://me:x@mail.example.com?ignoreTLS=true", /over TLS only$/],
])("%s is refused", (text, sentence) => {
  expect(readSmtpUrl(text)).toMatch(sentence);
});
