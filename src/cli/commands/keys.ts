import { signingKeyStatus, type SigningKeyStatus } from "#accounts";
import { openOperatorStore } from "#app/operator.ts";
import { systemClock } from "#kernel/clock.ts";
import { inspectRootKeys, type RootKeyFinding } from "#kernel/crypto/root-keys/root-key-registry.ts";
import { Fault, type Call, type Ending } from "../command.ts";
import { commandLog, timeOf, whence, withHouse } from "../house.ts";
import { configOf, type Io } from "../io.ts";
import { table } from "../table.ts";

const signingRow = ({ kid, state, createdAt, verifiesUntil }: SigningKeyStatus): readonly string[] => [
  kid,
  state,
  timeOf(createdAt),
  verifiesUntil === null ? "" : timeOf(verifiesUntil),
];

const rootRow = ({ id, role, needed }: RootKeyFinding): readonly string[] => {
  if (needed) return [id, role, "needed"];
  return [id, role, role === "removed" ? "not needed any more" : "not used yet"];
};

const signingJson = ({ kid, state, createdAt, verifiesUntil }: SigningKeyStatus) => ({
  kid,
  state,
  made_at: isoOf(createdAt),
  until: isoOf(verifiesUntil),
});

const isoOf = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

export const status = async (io: Io): Promise<Ending> => {
  const config = configOf(io);
  const store = await openOperatorStore(config, commandLog(config, io));
  try {
    // Without opening any key: it is asked for when one is missing, too.
    const signing = await signingKeyStatus({ store, clock: systemClock });
    const { where, findings } = await inspectRootKeys({ store, config });
    const output = [
      signing.length === 0
        ? "No signing key yet: the first sign-in makes one."
        : table([["SIGNING KEY", "STATE", "MADE", "UNTIL"], ...signing.map(signingRow)]),
      findings.length === 0
        ? "No root key yet: the first start makes one."
        : table([["ROOT KEY", "ROLE", "STORE"], ...findings.map(rootRow)]),
    ].join("\n\n");
    const json = { signing: signing.map(signingJson), root: findings, root_keys_from: where };
    return { output, json, notes: [`The root keys are looked for in ${where}.`] };
  } finally {
    await store.close();
  }
};

export const rotate = (io: Io): Promise<Ending> =>
  withHouse(io, async (house) => {
    const kid = await house.accounts.use.rotateSigningKey(whence());
    return {
      output: kid,
      json: { kid },
      notes: [
        "Running servers sign new sessions with it within a second. Nobody was signed out: the one before verifies until its last session ends.",
      ],
    };
  });

export const revoke = ({ operand: kid }: Call, io: Io): Promise<Ending> =>
  withHouse(io, async (house) => {
    const before = await signingKeyStatus(house);
    const key = before.find((one) => one.kid === kid);
    if (!key) {
      const known = before.map((one) => one.kid).join(", ");
      throw new Fault(
        `There is no signing key of that id; ${known === "" ? "there is none yet" : `there are ${known}`}.`,
      );
    }
    if (key.state === "ended") return { json: { kid, revoked: false }, notes: [`${kid} has ended already.`] };
    await house.accounts.use.revokeSigningKey(kid, whence());
    const { kid: signs } = await house.signingKeys.current();
    return {
      json: { kid, revoked: true, signs },
      notes: [`${kid} is revoked: every session that it signed has ended. ${signs} signs new ones.`],
    };
  });
