import { styleText } from "node:util";
import { storeOf } from "#app/open-store.ts";
import { systemClock } from "#kernel/clock.ts";
import { inspectConfig, type Config } from "#kernel/config.ts";
import type { Store } from "#kernel/db/store.ts";
import { reasonOf } from "#kernel/errors.ts";
import type { Ending } from "../command.ts";
import { checkClock } from "../doctor/clock.ts";
import { checkConfig } from "../doctor/config.ts";
import { fail, warn, type Finding } from "../doctor/finding.ts";
import { checkFolder } from "../doctor/folder.ts";
import { checkKeys } from "../doctor/keys.ts";
import { checkMail, checkQueue } from "../doctor/mail.ts";
import { checkOrigin, checkServer, checkWayIn } from "../doctor/origin.ts";
import { checkExistence, checkStore } from "../doctor/store.ts";
import { checkWebhooks } from "../doctor/webhooks.ts";
import { commandLog } from "../house.ts";
import type { Io } from "../io.ts";

type Check = () => Finding | readonly Finding[] | Promise<Finding | readonly Finding[]>;

/** Runs checks one after the other. One that breaks is a finding, and the others go on. */
const createRounds = (wrongSettings: ReadonlySet<string>) => {
  const findings: Finding[] = [];
  return {
    findings,
    /** @param settings without which the answer would mean nothing */
    run: async (name: string, settings: readonly string[], check: Check): Promise<void> => {
      const wrong = settings.find((setting) => wrongSettings.has(setting));
      if (wrong !== undefined) {
        findings.push(warn(name, `Not checked, because ${wrong} is wrong.`, "Correct it, and look again."));
        return;
      }
      try {
        findings.push(...[await check()].flat());
      } catch (error) {
        const message = `This could not be checked: ${reasonOf(error)}.`;
        findings.push(fail(name, message, "Mend what failed before, and look again."));
      }
    },
  };
};

type Rounds = ReturnType<typeof createRounds>;

const storeSettings = ["LATCHKEY_DATA", "LATCHKEY_DATABASE_URL"];

/** @returns the store, when its tables can be asked */
const examineStore = async (rounds: Rounds, config: Config, store: Store): Promise<Store | undefined> => {
  const { findings, hasTables } = await checkStore(store, config);
  rounds.findings.push(...findings);
  if (hasTables) {
    await rounds.run("root keys", ["LATCHKEY_ROOT_KEYS"], () => checkKeys(store, config));
    await rounds.run("queue", [], () => checkQueue(store));
    await rounds.run("webhooks", [], () => checkWebhooks(store));
    return store;
  }
  if (findings.some(({ state }) => state === "fail")) {
    rounds.findings.push(
      warn("root keys", "Keys and queue can't be checked without the store.", "Mend it, and look again."),
    );
  }
  return undefined;
};

const examine = async (io: Io): Promise<readonly Finding[]> => {
  const inspected = inspectConfig(io.environment, io.stderr.isTTY === true);
  const { config, faults } = inspected;
  const rounds = createRounds(new Set(faults.map(({ name }) => name)));
  let store: Store | undefined;
  let answering: Store | undefined;
  try {
    await rounds.run("config", [], () => checkConfig(inspected));
    await rounds.run("folder", ["LATCHKEY_DATA"], () => checkFolder(config));
    await rounds.run("store", storeSettings, async () => {
      const missing = await checkExistence(config);
      if (missing) return missing;
      store = storeOf(config, { clock: systemClock, log: commandLog(config, io) });
      answering = await examineStore(rounds, config, store);
      return [];
    });
    await rounds.run("mail", ["LATCHKEY_SMTP_URL", "LATCHKEY_MAIL"], () => checkMail(config));
    await rounds.run("clock", [], () => checkClock(answering));
    await rounds.run("origin", ["LATCHKEY_ORIGIN", "LATCHKEY_PORT"], () => checkOrigin(config));
    await rounds.run("server", ["LATCHKEY_HOST", "LATCHKEY_PORT"], () => checkServer(config, answering));
    await rounds.run("way in", ["LATCHKEY_ORIGIN", "LATCHKEY_HOST", "LATCHKEY_PORT"], () =>
      checkWayIn(config),
    );
    return rounds.findings;
  } finally {
    await store?.close();
  }
};

const marks = { ok: ["green", "ok  "], warn: ["yellow", "warn"], fail: ["red", "FAIL"] } as const;

const lineOf = ({ name, state, message, remedy }: Finding, { colors }: Io): string => {
  const [color, mark] = marks[state];
  const shown = colors ? styleText(color, mark, { validateStream: false }) : mark;
  const line = `${shown}  ${name}: ${message}`;
  return remedy === undefined ? line : `${line}\n      ${remedy}`;
};

const summaryOf = (findings: readonly Finding[]): string => {
  const failed = findings.filter(({ state }) => state === "fail").length;
  const warned = findings.filter(({ state }) => state === "warn").length;
  if (failed + warned === 0) return "All is well.";
  return `${findings.length} checks: ${failed} failed, ${warned} to look at.`;
};

export const doctor = async (io: Io): Promise<Ending> => {
  const findings = await examine(io);
  return {
    output: findings.map((finding) => lineOf(finding, io)).join("\n"),
    json: findings,
    notes: [summaryOf(findings)],
    failed: findings.some(({ state }) => state === "fail"),
  };
};
