import { stat } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sha256Hex } from "#kernel/crypto/digest.ts";
import { openQueued } from "#kernel/mail/queue.ts";
import { liveBusily, type BusyLife } from "../support/busy-life.ts";
import { causesAnyNumber } from "../support/caused.ts";
import { dumpStore } from "../support/dump.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { operatorIn } from "../support/operator.ts";
import { findSecrets } from "../support/secrets.ts";

let house: TestHouse;
let life: BusyLife;
beforeAll(async () => {
  house = await startHouse();
  life = await liveBusily(house);
});
afterAll(stopHouses);

test("A47 secrets are found where they are, however they are spelled", () => {
  const secret = "Aladdin:open sesame";
  const secrets = new Map([["pair", secret]]);
  for (const before of ["", "x", "xy", "xyz"]) {
    for (const encoding of ["utf8", "hex", "base64", "base64url", "utf16le"] as const) {
      const text = Buffer.from(`${before}${secret}${before}`, "utf8");
      const place =
        encoding === "utf16le" ? Buffer.from(text.toString(), "utf16le") : text.toString(encoding);
      expect(findSecrets(secrets, place), `${encoding} behind "${before}"`).not.toEqual([]);
    }
  }
  expect(findSecrets(secrets, "Aladdin:open a window")).toEqual([]);
});

test("A47 the life was a full one, and the dump has all of it", async () => {
  expect(life.secrets.size).toBeGreaterThan(25);
  expect(life.refusals.length).toBeGreaterThan(15);
  const dump = await dumpStore(house.config);
  expect(dump.includes(life.email)).toBe(true);
  expect(dump.includes(sha256Hex(String(life.secrets.get("last token"))))).toBe(true);
});

test("A47 the database reveals no password, code, token, cookie or key, in no spelling", async () => {
  expect(findSecrets(life.secrets, await dumpStore(house.config))).toEqual([]);
});

test("A47 nor after a restart, when all of it has been written to its place", async () => {
  const mine = await startHouse();
  const { secrets } = await liveBusily(mine);
  const restarted = await mine.restart();
  expect(findSecrets(secrets, await dumpStore(restarted.config))).toEqual([]);
  await restarted.stop();
  expect(findSecrets(secrets, await dumpStore(restarted.config))).toEqual([]);
});

test("A47 mails that wait for their server are sealed, addresses and codes alike", async () => {
  // Nothing listens on port 1 of this machine.
  const mine = await startHouse({ LATCHKEY_SMTP_URL: "smtp://user:Sm7p-pAssw0rd@127.0.0.1:1" });
  const { email } = await mine.person();
  await mine.send("POST", "/api/me/password_reset/request", { json: { email } });
  const { rows } = await sql<{ id: string; sealed: string }>`select id, sealed from mail_queue`.execute(
    mine.inside.store.query,
  );
  const { rootKeys } = await operatorIn(mine);
  const codes = rows.map(
    (row) => /^[0-9a-hjkmnp-tv-z]{26}$/m.exec(openQueued(rootKeys, row).message.text)?.[0] ?? "",
  );

  expect(codes).toHaveLength(2);
  const secrets = new Map<string, string>([
    ["the mail server's password", "Sm7p-pAssw0rd"],
    ...codes.map((code, index) => [`code ${index}`, code] as const),
    ["a mail's words", "A new password was requested"],
  ]);
  expect(findSecrets(secrets, await dumpStore(mine.config))).toEqual([]);
});

test("A47 delivered mails leave nothing in the queue, and lie in the outbox for the server's user only", async () => {
  const folder = join(house.config.dataFolder, "outbox");
  const mails = await house.mails();
  expect(mails.filter(({ to }) => to === life.email).length).toBeGreaterThan(4);
  const { rows } = await sql`select id from mail_queue`.execute(house.inside.store.query);
  expect(rows).toEqual([]);
  expect((await stat(folder)).mode & 0o077).toBe(0);
});

test("A47 a row of codes or tokens is of no use as the code or token that it stands for", async () => {
  causesAnyNumber();
  const { session } = await house.person();
  const { query } = house.inside.store;
  const { rows: codes } = await sql<{ digest: string }>`select digest from mail_codes`.execute(query);
  const { rows: tokens } = await sql<{
    digest: string;
    sealed: string;
  }>`select digest, sealed from api_tokens`.execute(query);
  const { rows: sessions } = await sql<{ jti: string }>`select jti from sessions`.execute(query);
  expect([codes.length, tokens.length, sessions.length]).toEqual(
    [codes.length, tokens.length, sessions.length].map((count) => Math.max(count, 1)),
  );
  for (const { digest } of codes) {
    for (const code of [digest, digest.slice(0, 26), Buffer.from(digest, "hex").toString("base64url")]) {
      const reply = await house.send("POST", `/api/me/email_verification/confirm/${code}`);
      expect(reply.status).toBe(400);
    }
  }
  for (const { digest, sealed } of tokens) {
    for (const token of [digest, digest.slice(0, 32), digest.slice(32), sealed]) {
      expect((await house.send("GET", "/api/v9/me", { basic: [token, "api_token"] })).status).toBe(403);
    }
  }
  for (const { jti } of sessions) {
    expect((await house.send("GET", "/api/v9/me", { session: jti })).status).toBe(403);
    expect((await house.send("GET", "/api/v9/me", { basic: [jti, "api_token"] })).status).toBe(403);
  }
  expect((await house.send("GET", "/api/sessions", { session })).status).toBe(200);
});

test("A47 what is sealed for one account does not open for another", async () => {
  const [one, other] = [await house.person(), await house.person()];
  const { query } = house.inside.store;
  await sql`update api_tokens set sealed = (
    select sealed from api_tokens join accounts on accounts.id = api_tokens.account_id where email = ${one.email}
  ) where account_id = (select id from accounts where email = ${other.email})`.execute(query);

  const reply = await house.send("GET", "/api/v9/me", { session: other.session });
  expect(reply.text).not.toContain(await house.tokenOf(one));
  expect(reply.status).toBe(500);
});

test("A47 the root key file is for the server's user only", async () => {
  expect((await stat(join(house.config.dataFolder, "root.keys"))).mode & 0o777).toBe(0o600);
});
