// What tests cause: audit events, mails and webhooks, collected from every house that a test starts or uses, as lines that
// are the same on every run. check-caused.ts compares them with the page beside the test file.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import type { House } from "#app/compose.ts";
import { outboxFolder } from "#app/open-store.ts";
import { parseMail } from "./mails.ts";
import { fieldsOf } from "./shapes.ts";

/** A house, as far as what it caused can be seen. */
type Witness = { readonly inside: House; readonly logs: readonly string[] };

/** What happened in one store, whichever houses stand on it. */
export type Causes = {
  /** From here on it is asked. */
  readonly add: (house: Witness) => void;
  /** The last look before it is stopped. */
  readonly leave: (house: Witness) => Promise<void>;
};

/** One line a fact, in the order in which they came to light. */
let facts: string[] = [];
let isAnyNumber = false;
let isWatched = false;

type Look = () => Promise<void>;
const looks = new Set<Look>();

/** Said once of a store: a test may have broken it on purpose. */
const unreadable = "a store that can't be read";

const placeOf = (details: Readonly<Record<string, unknown>>): string =>
  Object.entries(details)
    // Where the house numbers keys itself the number tells what other tests have made.
    .map(([name, value]) => ` · ${name} ${String(value).replace(/^key-\d+$/, "key")}`)
    .join("");

export const createCauses = (): Causes => {
  const houses = new Map<Witness, { logLines: number }>();
  const names = new Map<number, string>();
  const environments = new Map<number, string>();
  const mails = new Set<string>();
  const deliveries = new Set<string>();
  /** How often it had happened what a row tells, by its number. */
  const timesSeen = new Map<number, number>();
  let lastEvent = 0;
  let lastDelivery = 0;

  const learnNames = async ({ store }: House, ids: readonly number[]): Promise<void> => {
    if (ids.length === 0) return;
    const { rows } = await sql<{ id: number; email: string }>`
      select id, email from accounts where id in (${sql.join(ids)})`.execute(store.query);
    for (const { id, email } of rows) names.set(id, email);
  };

  const lookAtAudit = async (inside: House): Promise<void> => {
    const events = await inside.store.query
      .selectFrom("audit_events")
      .select(["id", "times", "account_id", "event", "outcome", "channel", "address", "details"])
      // Refusals of nobody may have been counted on a row of before.
      .where((eb) => eb.or([eb("id", ">", lastEvent), eb("times", ">", 1)]))
      .orderBy("id")
      .execute();
    lastEvent = Math.max(lastEvent, events.at(-1)?.id ?? 0);
    await learnNames(inside, [...new Set(events.flatMap(({ account_id: id }) => id ?? []))]);
    for (const { id: row, times, event, channel, outcome, account_id: id, address, details } of events) {
      const who = id === null ? "" : ` · ${names.get(id) ?? "an erased account"}`;
      const from = address === null ? " · from nowhere" : "";
      const place = placeOf(fieldsOf(JSON.parse(details ?? "{}")));
      const fact = `audit ${event} · ${channel} · ${outcome}${who}${from}${place}`;
      facts.push(...Array.from({ length: times - (timesSeen.get(row) ?? 0) }, () => fact));
      timesSeen.set(row, times);
    }
  };

  const lookAtWebhooks = async ({ store }: House): Promise<void> => {
    const { rows } = await sql<{ id: string; environment_id: number; event: string; created_at: number }>`
      select id, environment_id, event, created_at from webhook_deliveries
      where created_at >= ${lastDelivery} order by created_at, id`.execute(store.query);
    const fresh = rows.filter(({ id }) => !deliveries.has(id));
    if (fresh.length === 0) return;
    const found = await sql<{ id: number; name: string }>`select id, name from environments`.execute(
      store.query,
    );
    for (const { id, name } of found.rows) environments.set(id, name);
    for (const { id, environment_id: environment, event, created_at: at } of fresh) {
      deliveries.add(id);
      lastDelivery = Math.max(lastDelivery, at);
      facts.push(`webhook ${event} → ${environments.get(environment) ?? "an environment that is gone"}`);
    }
  };

  const lookAtOutbox = async ({ config }: House): Promise<void> => {
    if (config.smtpUrl !== undefined) return;
    const folder = outboxFolder(config);
    for (const name of (await readdir(folder)).toSorted()) {
      const id = /-([0-9a-f]+)\.eml$/.exec(name)?.[1];
      if (id === undefined || mails.has(id)) continue;
      mails.add(id);
      const { subject, to } = parseMail(await readFile(join(folder, name), "utf8"));
      facts.push(`mail ${JSON.stringify(subject)} → ${to}`);
    }
  };

  /** Mails that left no file: that went to a mail server, or to nobody. */
  const lookAtLog = (logs: readonly string[], seen: { logLines: number }): void => {
    for (const line of logs.slice(seen.logLines)) {
      const { outcome, id } =
        /"event":"mail_(?<outcome>sent|refused|discarded|expired)".*"mail":"(?<id>[0-9a-f]+)"/.exec(line)
          ?.groups ?? {};
      if (id === undefined || mails.has(id)) continue;
      mails.add(id);
      facts.push(outcome === "sent" ? "mail that went to a mail server" : "mail that went to nobody");
    }
    seen.logLines = logs.length;
  };

  let isReadable = true;

  const look = async (): Promise<void> => {
    isWatched = true;
    if (!isReadable) return;
    // What is only in memory, and what is on its way.
    for (const { inside } of houses.keys()) {
      await inside.connect.flush().catch(() => undefined);
      await inside.courier.deliverDue();
    }
    const [any] = houses.keys();
    if (!any) return;
    try {
      await lookAtAudit(any.inside);
      await lookAtWebhooks(any.inside);
    } catch {
      isReadable = false;
      facts.push(unreadable);
    }
    for (const [{ inside, logs }, seen] of houses) {
      await lookAtOutbox(inside);
      lookAtLog(logs, seen);
    }
  };

  return {
    add: (house) => {
      houses.set(house, { logLines: 0 });
      looks.add(look);
    },
    leave: async (house) => {
      if (!houses.has(house)) return;
      await look();
      houses.delete(house);
      if (houses.size === 0) looks.delete(look);
    },
  };
};

/**
 * Called in a test that can't say how often things happen, or which of several: chance or a race decides. Its page then
 * tells of everything that may happen, and nothing else may.
 */
export const causesAnyNumber = (): void => {
  isAnyNumber = true;
};

export type Caused = {
  readonly facts: readonly string[];
  /** Their numbers mean nothing. */
  readonly isAnyNumber: boolean;
  /** There was a house to look at. */
  readonly isWatched: boolean;
};

/** Everything since the last time. */
export const takeCaused = async (): Promise<Caused> => {
  for (const look of looks) await look();
  const taken = { facts, isAnyNumber, isWatched };
  facts = [];
  isAnyNumber = false;
  isWatched = false;
  return taken;
};
