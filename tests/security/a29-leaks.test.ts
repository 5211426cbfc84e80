import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { liveBusily, type BusyLife } from "../support/busy-life.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { findSecrets } from "../support/secrets.ts";

let house: TestHouse;
let life: BusyLife;
beforeAll(async () => {
  house = await startHouse({ LATCHKEY_LOG_LEVEL: "debug" });
  life = await liveBusily(house);
});
afterAll(stopHouses);

test("A29 no line of the log has a secret, at the level that tells most", () => {
  expect(house.logs.length).toBeGreaterThan(40);
  expect(house.logs.filter((line) => line.includes('"level":"debug"')).length).toBeGreaterThan(20);
  expect(findSecrets(life.secrets, house.logs.join(""))).toEqual([]);
});

test("A29 the log has routes, not paths: what varies in them is left out", () => {
  const told = house.logs.join("");
  expect(told).toContain("/api/me/password_reset/confirm/:code");
  expect(told).not.toContain("nowhere");
});

test("A29 no audit event has a secret", async () => {
  const { rows } = await sql`select * from audit_events`.execute(house.inside.store.query);
  expect(rows.length).toBeGreaterThan(10);
  expect(findSecrets(life.secrets, JSON.stringify(rows))).toEqual([]);
});

test("A29 no refusal gives a secret back, in its head or its body", () => {
  expect(life.refusals.length).toBeGreaterThan(15);
  // Fields that nobody knows are refused by their names, so that one is said back to whoever sent it.
  const secrets = new Map([...life.secrets].filter(([name]) => name !== "a password for a name"));
  expect(secrets.size).toBe(life.secrets.size - 1);
  expect(findSecrets(secrets, life.refusals.join("\n"))).toEqual([]);
});

test("A29 a store that breaks under a call tells nothing of what the call had in its hands", async () => {
  const mine = await startHouse({ LATCHKEY_LOG_LEVEL: "debug" });
  const person = await mine.person();
  const token = await mine.tokenOf(person);
  const code = "0123456789abcdefghjkmnpqrs";
  const secrets = new Map<string, string>([
    ["password", person.password],
    ["new password", "another river at dusk"],
    ["cookie", person.session],
    ["token", token],
    ["code", code],
  ]);
  const cascade = mine.inside.store.kind === "postgres" ? sql` cascade` : sql``;
  const answers: string[] = [];
  let failed = 0;
  for (const table of [
    "mail_queue",
    "audit_events",
    "api_tokens",
    "mail_codes",
    "sessions",
    "tries",
    "accounts",
  ]) {
    await sql`drop table ${sql.table(table)}${cascade}`.execute(mine.inside.store.query);
    const { email, password, session } = person;
    const json = { email, password };
    for (const [method, path, sent] of [
      ["POST", "/api/signup", { json: { email: `new-${email}`, password, tos_accepted_for: "track" } }],
      ["POST", "/api/sessions", { json }],
      ["POST", "/api/sessions", { json: { email, password: "another river at dusk" } }],
      ["GET", "/api/v9/me", { basic: [email, password] }],
      ["GET", "/api/v9/me", { basic: [token, "api_token"] }],
      ["GET", "/api/v9/me", { session }],
      [
        "PUT",
        "/api/v9/me",
        { session, json: { current_password: password, password: "another river at dusk" } },
      ],
      ["POST", "/api/v9/me/reset_token", { session }],
      ["POST", "/api/me/password_reset/request", { json: { email } }],
      ["GET", "/api/me", { session }],
      ["GET", "/api/me/sessions", { session }],
      ["GET", "/api/me/audit", { session }],
      [
        "POST",
        "/api/me/email_change/request",
        { session, json: { email: `moved-${email}`, current_password: password } },
      ],
      ["POST", "/api/me/email_verification/request", { json: { email } }],
      ["POST", `/api/me/email_verification/confirm/${code}`, {}],
      ["POST", `/api/me/password_reset/confirm/${code}`, { json: { password: "another river at dusk" } }],
      ["DELETE", "/api/sessions", { basic: [email, password] }],
    ] as const) {
      const reply = await mine.send(method, path, sent);
      if (reply.status < 400) continue;
      answers.push(JSON.stringify([reply.status, reply.headers, reply.text]));
      if (reply.status < 500) continue;
      failed += 1;
      expect([500, 503]).toContain(reply.status);
      expect(reply.text).not.toMatch(/table|relation|select|insert|SQLITE|\bat \//i);
    }
  }
  expect(failed).toBeGreaterThan(10);
  expect(mine.logs.filter((line) => line.includes("request_failed")).length).toBeGreaterThanOrEqual(failed);
  expect(findSecrets(secrets, mine.logs.join(""))).toEqual([]);
  expect(findSecrets(secrets, answers.join("\n"))).toEqual([]);
});
