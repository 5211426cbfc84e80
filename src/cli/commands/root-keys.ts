import { openOperatorStore, type OperatorHouse } from "#app/operator.ts";
import { sealedColumns } from "#app/sealed-columns.ts";
import type { Tx } from "#kernel/db/store.ts";
import { inspectRootKeys, registeredKeys, sealingKey } from "#kernel/crypto/root-keys/root-key-registry.ts";
import { countLeaning, removeRootKey, type Leaning } from "#kernel/crypto/root-keys/root-key-removal.ts";
import { hearingMs, rotateRootKey } from "#kernel/crypto/root-keys/root-key-rotation.ts";
import type { Stuck } from "#kernel/crypto/sealed-columns.ts";
import type { kernelEvents } from "#kernel/telemetry/audit.ts";
import type { Call, Ending } from "../command.ts";
import { commandLog, whence, withHouse } from "../house.ts";
import { configOf, type Io } from "../io.ts";
import { table } from "../table.ts";

type Shown = {
  readonly id: string;
  readonly role: string;
  readonly values: number;
  readonly places: Readonly<Record<string, number>>;
};

const shown = (id: string, role: string, leaning: Leaning): Shown => {
  const places = Object.fromEntries(leaning.get(id) ?? []);
  return { id, role, values: Object.values(places).reduce((sum, values) => sum + values, 0), places };
};

export const status = async (io: Io): Promise<Ending> => {
  const config = configOf(io);
  const store = await openOperatorStore(config, commandLog(config, io));
  try {
    const { where, findings } = await inspectRootKeys({ store, config });
    const leaning = await countLeaning(store, store.query, sealedColumns);
    const sealing = sealingKey(await registeredKeys(store.query));
    const isSettled = !sealing || sealing.settled_at !== null;
    const unknown = [...leaning.keys()].filter((id) => !findings.some((one) => one.id === id));
    const keys = [
      ...findings.map(({ id, role }) => shown(id, role, leaning)),
      ...unknown.map((id) => shown(id, "unknown", leaning)),
    ];
    const idle = findings.filter(({ id, role, needed }) => role === "opens" && needed && !leaning.has(id));
    return {
      output:
        keys.length === 0
          ? "No root key yet: the first start makes one."
          : table([
              ["ROOT KEY", "ROLE", "VALUES"],
              ...keys.map(({ id, role, values }) => [id, role, String(values)]),
            ]),
      json: { keys, settled: isSettled, root_keys_from: where },
      notes: [
        `The root keys are looked for in ${where}.`,
        ...(isSettled
          ? idle.map(({ id }) => `Nothing leans on ${id} any more: latchkey root-keys remove ${id}`)
          : [`The rotation to ${sealing.id} is not over: latchkey root-keys rotate`]),
      ],
    };
  } finally {
    await store.close();
  }
};

/** Nobody can open these; they stand in the way of removing the key. */
const stuckNote = ({ column, row, reason }: Stuck): string =>
  `${column} of row ${row} can't be opened any more (${reason}) and stays as it is.`;

export const rotate = (io: Io): Promise<Ending> =>
  withHouse(io, async ({ store, config, clock, random, audit }) => {
    const deps = { store, config, clock, random, columns: sealedColumns, hearingMs };
    const { id, resumed, rewrapped, stuck } = await rotateRootKey(deps, told(audit, "root_key_rotated"));
    const { findings } = await inspectRootKeys({ store, config });
    const former = findings.filter(({ role, needed }) => role === "opens" && needed).map((one) => one.id);
    return {
      output: id,
      json: { id, resumed, rewrapped, former, stuck },
      notes: [
        `${resumed ? "A rotation that had begun is over now" : "Running servers seal with it already"}; ${rewrapped} data keys were wrapped anew.`,
        ...stuck.map(stuckNote),
        "Keep a copy of the new key, apart from the data.",
        ...former.map((one) => `When you have looked that all is well: latchkey root-keys remove ${one}`),
      ],
    };
  });

export const remove = ({ operand: id }: Call, io: Io): Promise<Ending> =>
  withHouse(io, async ({ store, config, clock, random, audit }) => {
    const deps = { store, config, clock, random, columns: sealedColumns };
    const { removed, dropped, forgotten } = await removeRootKey(deps, id, told(audit, "root_key_removed"));
    return {
      json: { id, removed, dropped, forgotten },
      notes: [
        removed ? `${id} is removed: no start needs it any more.` : `${id} had been removed before.`,
        ...(config.rootKeys ? ["Take it out of LATCHKEY_ROOT_KEYS, and restart every server."] : []),
        ...(dropped
          ? ["It is out of the file of this machine; if others have copies, take it out there."]
          : []),
        ...(forgotten ? [] : ["The database was too busy to clear its journal; the next restart clears it."]),
        "Backups of before the rotation open only with it: keep it with them.",
      ],
    };
  });

type Audit = OperatorHouse["audit"];

const told =
  (audit: Audit, event: (typeof kernelEvents)[number]) =>
  (tx: Tx, id: string): Promise<void> =>
    audit.record(tx.query, {
      event,
      outcome: "done",
      channel: "cli",
      details: { root_key: id },
      ...whence(),
    });
