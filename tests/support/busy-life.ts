// A house in which everything happens once that issues or takes a secret, and the secrets of it.

import type { KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { loadServerSecret } from "#kernel/crypto/server-secrets.ts";
import { systemRandom } from "#kernel/ids.ts";
import { partsOf } from "./forge.ts";
import type { TestHouse } from "./house.ts";
import { sessionOf, type Reply, type Sent } from "./http.ts";
import { codeIn } from "./mails.ts";
import { operatorIn } from "./operator.ts";
import { resetCode } from "./reset.ts";
import type { Secrets } from "./secrets.ts";

export type BusyLife = {
  readonly secrets: Secrets;
  /** Every answer that was a refusal, head and body. */
  readonly refusals: readonly string[];
  readonly email: string;
};

/** 22 random characters, which nothing else can look like. */
const chance = (): string => systemRandom.bytes(16).toString("base64url");

const privateBytes = (key: KeyObject): Buffer =>
  Buffer.from(key.export({ format: "jwk" }).d ?? "", "base64url");

export const liveBusily = async (house: TestHouse): Promise<BusyLife> => {
  const secrets = new Map<string, string | Buffer>();
  const refusals: string[] = [];
  const send = async (method: string, path: string, sent: Sent = {}): Promise<Reply> => {
    const reply = await house.send(method, path, sent);
    if (reply.status >= 400) refusals.push(JSON.stringify([reply.status, reply.headers, reply.text]));
    const session = sessionOf(reply);
    if (session) {
      secrets.set(`cookie ${secrets.size}`, session);
      secrets.set(`signature of a cookie ${secrets.size}`, partsOf(session).signature);
    }
    return reply;
  };
  const secret = (name: string, value = `Pw ${chance()} ü`): string => {
    secrets.set(name, value);
    return value;
  };

  // Signing up and in, by every way there is.
  const email = `busy-${chance()
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, "")}@example.com`;
  const first = secret("first password");
  const newcomer = await send("POST", "/api/signup", {
    json: { email, password: first, tos_accepted_for: "track" },
  });
  const session = sessionOf(newcomer);
  const verification = secret("verification code", codeIn(await house.mailTo(email)));
  await send("POST", "/api/sessions", { basic: [email, first] });
  await send("GET", "/api/v9/me", { basic: [email, first] });
  const token = secret("first token", String(await tokenOf(send, session)));
  await send("GET", "/api/v9/me", { basic: [token, "api_token"] });

  // Everything that goes wrong, with a secret in its hands.
  const wrong = secret("a wrong password");
  await send("POST", "/api/sessions", { json: { email, password: wrong } });
  await send("GET", "/api/v9/me", { basic: [email, wrong] });
  await send("GET", "/api/v9/me", { basic: [token, wrong] });
  await send("GET", "/api/v9/me", {
    basic: [secret("a guessed token", systemRandom.bytes(16).toString("hex")), "api_token"],
  });
  await send("GET", `/api/v9/nowhere/${token}?api_token=${token}&password=${encodeURIComponent(first)}`, {
    session,
  });
  await send("PATCH", `/api/me/password_reset/confirm/${verification}`);
  await send("POST", `/api/me/password_reset/confirm/${verification}`, { json: { password: wrong } });
  await send("POST", `/api/me/password_reset/confirm/${token}${token}`, { json: { password: wrong } });
  await send("POST", "/api/signup", {
    json: { email, password: wrong, [secret("a password for a name")]: wrong },
  });
  await send("POST", "/api/signup", {
    json: { email, password: wrong, tos_accepted_for: wrong, timezone: wrong },
  });
  await send("POST", "/api/signup", { json: { email, password: wrong, tos_accepted_for: "track" } });
  await send("POST", "/api/sessions", {
    body: `{"email":"${email}","password":"${first}"`,
    headers: { "content-type": "application/json" },
  });
  await send("POST", "/api/sessions", {
    body: `password=${first}`,
    headers: { "content-type": "text/plain" },
  });
  await send("POST", "/api/sessions", {
    json: { email, password: first },
    headers: {
      origin: "https://evil.example",
      referer: `https://evil.example/?${encodeURIComponent(first)}`,
    },
  });
  await send("GET", "/api/v9/me", { headers: { authorization: `Bearer ${token}` } });
  await send("GET", "/api/v9/me", { session: `${session ?? ""}x` });
  await send("PUT", "/api/v9/me", {
    session,
    json: { current_password: wrong, password: secret("a refused password") },
  });
  await send("PUT", "/api/v9/me", { session, json: { current_password: first, password: [first] } });

  // What people see of their own account, and the address that they change.
  for (const path of ["/api/me", "/api/me/sessions", "/api/me/audit"]) {
    expect((await send("GET", path, { session })).status).toBe(200);
  }
  const moved = `moved-${email}`;
  const ask = (current_password: string) =>
    send("POST", "/api/me/email_change/request", { session, json: { email: moved, current_password } });
  await ask(wrong);
  await ask(first);
  const confirmation = secret("code for a new address", codeIn(await house.mailTo(moved)));
  await send("POST", "/api/me/close_account/track", { session, json: { current_password: wrong } });
  await send("GET", `/api/me/email_verification/confirm/${confirmation}`);
  await send("DELETE", "/api/me/email_change", { session });
  await send("POST", `/api/me/email_verification/confirm/${confirmation}`);

  // Every change of a credential.
  house.clock.advance(1);
  await send("POST", "/api/me/email_verification/request", { json: { email } });
  await send("POST", `/api/me/email_verification/confirm/${verification}`, { session });
  const second = secret("second password");
  await send("PUT", "/api/v9/me", { session, json: { current_password: first, password: second } });
  secret("second token", String((await send("POST", "/api/v9/me/reset_token", { session })).json()));
  secret("expired reset code", await resetCode(house, email));
  // So long that there is another code, and another mail from this network.
  house.clock.advance(3_600_000);
  const code = secret("used reset code", await resetCode(house, email));
  const third = secret("third password");
  await send("POST", `/api/me/password_reset/confirm/${code}`, { json: { password: third } });
  await send("POST", `/api/me/password_reset/confirm/${code}`, { json: { password: third } });
  house.clock.advance(3_600_000);
  secret("open reset code", await resetCode(house, email));
  const closed = await send("POST", "/api/sessions", { json: { email, password: third } });
  house.clock.advance(1000);
  await send("POST", "/api/me/close_account/track", { session: sessionOf(closed) });
  const undo = secret("undo code", codeIn(await house.mailTo(email)));
  const fourth = secret("fourth password");
  await send("POST", `/api/me/close_account/undo/${undo}`, { json: { password: fourth } });
  await send("POST", `/api/me/close_account/undo/${undo}`, { json: { password: fourth } });
  const last = await send("POST", "/api/sessions", { json: { email, password: fourth, remember_me: true } });
  secret("last token", String(await tokenOf(send, sessionOf(last))));

  // The server's own.
  const operator = await operatorIn(house);
  for (const which of ["first", "second"]) {
    secrets.set(`${which} signing key`, privateBytes((await operator.signingKeys.current()).privateKey));
    await operator.use.rotateSigningKey({});
  }
  const { store, rootKeys } = operator;
  for (const name of ["tries", "intercom"]) {
    const keyed = { store, rootKeys, random: systemRandom, clock: house.clock };
    secrets.set(`the server's ${name} key`, await loadServerSecret(keyed, name));
  }
  const file = await readFile(join(house.config.dataFolder, "root.keys"), "utf8");
  secrets.set("root key", Buffer.from(/^[^#:]+:(\S+)$/m.exec(file)?.[1] ?? "", "base64"));
  return { secrets, refusals, email };
};

const tokenOf = async (
  send: (method: string, path: string, sent: Sent) => Promise<Reply>,
  session: string | undefined,
): Promise<unknown> => {
  const me: unknown = (await send("GET", "/api/v9/me", { session })).json();
  return typeof me === "object" && me !== null && "api_token" in me ? me.api_token : undefined;
};
