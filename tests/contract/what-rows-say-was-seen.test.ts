// Every ending that a row tells of was seen in a test of this run, or is listed here with the reason why it was not.
// What a step refuses that many rows have is asked for once a wire, and a list that rows share once for all of them.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { RefusalKind } from "#kernel/errors.ts";
import type { Check, Route } from "#kernel/http/route.ts";
import { openHouse, type OpenHouse } from "../../scripts/house.ts";
import { sightingOf } from "../support/sightings.ts";

/** Why, and what: a code wherever it is, a group and a code, or all of a row (`GET /path: *`). */
const unseen: readonly (readonly [reason: string, of: readonly string[]])[] = [
  [
    "a bug of ours, or a database that is away: answered in one place for all rows",
    ["internal", "store_unavailable"],
  ],
  [
    "a machine at its limits: the gate in front of hashes and a locked SQLite have tests of their own",
    ["busy"],
  ],
  [
    "a client that leaves or takes too long: tested where bytes are read",
    ["request_malformed", "request_timeout"],
  ],
  [
    "one reader of bodies for all wires, seen on another",
    [
      "encoding_invalid",
      "encoding_unsupported",
      "Server, bytes: body_too_large",
      "Server, body: json_invalid",
    ],
  ],
  [
    "one guard and one limit for all wires, seen on another",
    [
      "email_unverified",
      "Accounts, limit: rate_limited",
      "Server, limit: rate_limited",
      "Server, guard: cookie, password or token: credentials_wrong",
      "Server, guard: cookie, password or token: host_unknown",
      "Server, guard: cookie, password or token: login_throttled",
      "GET /: login_throttled",
      "GET /dev/mail: login_throttled",
      "GET /dev/mail: host_unknown",
    ],
  ],
  ["seen by tests/nodes, on a server in a process of its own", ["GET /readyz: stopping"]],
  [
    "the demo takes over what guard and proxy refuse; both are seen where they are at home",
    ["GET /connect/demo: *", "GET /connect/demo/me: *"],
  ],
  [
    "one place judges what a provider answers, seen where accounts are linked",
    [
      "PATCH /connections/{connection_id*}: address_refused",
      "PATCH /connections/{connection_id*}: provider_rate_limited",
      "PATCH /connections/{connection_id*}: token_not_available",
      "PATCH /connections/{connection_id*}: unknown_provider_template",
      "POST /connections: address_refused",
      "POST /connections: token_not_available",
      "POST /connections/verify: connection_test_failed",
      "POST /connections/verify: token_not_available",
    ],
  ],
  [
    "seen on the row that is not the older one",
    ["POST /connection: not_found", "POST /connection: unknown_provider_template"],
  ],
  [
    "taken away, or unreadable, in the moment between two steps",
    [
      "PATCH /connections/{connection_id*}: connection_failing",
      "PATCH /connections/{connection_id*}: unknown_connection",
      "POST /connections/verify: unknown_connection",
    ],
  ],
  [
    "one rule for a new address, seen on the call of the Accounts API",
    ["PUT /api/v9/me: mail_throttled", "PUT /api/v9/me: sign_up_throttled"],
  ],
];

const listed: ReadonlySet<string> = new Set(unseen.flatMap(([, of]) => of));

/** Good endings that no house under test logs, and why. */
const elsewhere: Readonly<Record<string, string>> = {
  "GET /connect/demo/me": "is streamed, as what the proxy answers",
  "POST /connection/metadata": "the older path of a row that is seen",
};

let house: OpenHouse;
const seen = new Set<string>();

beforeAll(async () => {
  house = await openHouse();
  const folder = inject("sightings") ?? "";
  for (const file of folder === "" ? [] : readdirSync(folder)) {
    for (const line of readFileSync(join(folder, file), "utf8").split("\n")) seen.add(line);
  }
});
afterAll(() => house.close());

/** Of a step, whoever's rows share it; of a use case, the rows that have the very same list. */
const groupOf = ({ wire, admits }: Route, { step, refuses }: Check): string | readonly RefusalKind[] => {
  if (step === "use case") return refuses;
  return step === "guard" ? `${wire.title}, ${step}: ${admits}` : `${wire.title}, ${step}`;
};

test("the other suites have run: this one judges what they saw", () => {
  expect(seen.size).toBeGreaterThan(100);
});

/** What rows refuse and no test saw, as `group: code`. */
const unseenRefusals = (): readonly string[] => {
  const told = house.rows.flatMap((row) =>
    row.checks.flatMap((check) => check.refuses.map((kind) => ({ row, kind, group: groupOf(row, check) }))),
  );
  return [...Map.groupBy(told, ({ group }) => group)].flatMap(([group, members]) => {
    const { row: first } = members[0] ?? {};
    const name = typeof group === "string" ? group : `${first?.method} ${first?.path}`;
    return [...Map.groupBy(members, ({ kind }) => kind.code)]
      .filter(([code, of]) => !of.some(({ row, kind }) => seen.has(sightingOf(row, kind.status, code))))
      .map(([code]) => `${name}: ${code}`);
  });
};

/** The forms in which a refusal may be listed: itself, its code wherever it is, all of its group. */
const formsOf = (line: string): readonly string[] => {
  const at = line.lastIndexOf(": ");
  return [line, line.slice(at + 2), `${line.slice(0, at)}: *`];
};

test("every refusal was seen, or is listed with a reason", () => {
  const missing = unseenRefusals().filter((line) => !formsOf(line).some((form) => listed.has(form)));
  expect(missing.toSorted()).toEqual([]);
});

test("nothing is listed without need", () => {
  const needed = new Set(unseenRefusals().flatMap(formsOf));
  expect([...listed].filter((form) => !needed.has(form))).toEqual([]);
  const seenAfterAll = house.rows
    .filter((row) => seen.has(sightingOf(row, row.status, undefined)))
    .map(({ method, path }) => `${method} ${path}`);
  expect(Object.keys(elsewhere).filter((name) => seenAfterAll.includes(name))).toEqual([]);
});

test("every good ending was seen", () => {
  const missing = house.rows
    .filter(({ notSupported, streams, wire }) => !notSupported && !streams && !wire.forPeople)
    .filter((row) => !seen.has(sightingOf(row, row.status, undefined)))
    .map(({ method, path }) => `${method} ${path}`)
    .filter((name) => !(name in elsewhere));
  expect(missing).toEqual([]);
});
