import type { SigningKeyStatus } from "#accounts";
import { inspectRootKeys, type RootKeyFinding } from "#kernel/crypto/root-key-registry.ts";
import { Fault, type Call, type Ending } from "./command.ts";
import { timeOf, whence, withHouse } from "./house.ts";

/** Columns as wide as their widest cell, two blanks between. */
const table = (rows: readonly (readonly string[])[]): string => {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
};

const signingRow = ({ kid, state, createdAt, verifiesUntil }: SigningKeyStatus): readonly string[] => [
  kid,
  state,
  timeOf(createdAt),
  verifiesUntil === null ? "" : timeOf(verifiesUntil),
];

const rootRow = ({ id, role, needed }: RootKeyFinding): readonly string[] => [
  id,
  role,
  needed ? "needed" : "not used yet",
];

const isoOf = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

export const status = (): Promise<Ending> =>
  withHouse(async (house) => {
    const signing = await house.signingKeys.status();
    const { where, findings } = await inspectRootKeys(house);
    const output = [
      signing.length === 0
        ? "No signing key yet: the first sign-in makes one."
        : table([["SIGNING KEY", "STATE", "MADE", "UNTIL"], ...signing.map(signingRow)]),
      table([["ROOT KEY", "ROLE", "STORE"], ...findings.map(rootRow)]),
    ].join("\n\n");
    return {
      output,
      json: {
        signing: signing.map(({ kid, state, createdAt, verifiesUntil }) => ({
          kid,
          state,
          made_at: isoOf(createdAt),
          until: isoOf(verifiesUntil),
        })),
        root: findings,
        root_keys_from: where,
      },
      notes: [`The root keys come from ${where}.`],
    };
  });

export const rotate = (): Promise<Ending> =>
  withHouse(async (house) => {
    const kid = await house.accounts.use.rotateSigningKey(whence());
    return {
      output: kid,
      json: { kid },
      notes: [
        "This key signs new sessions now. Nobody was signed out: the one before verifies until its last session ends.",
      ],
    };
  });

export const revoke = ({ operand: kid }: Call): Promise<Ending> =>
  withHouse(async (house) => {
    const before = await house.signingKeys.status();
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
      notes: [`${kid} is revoked: every session that it signed has ended. ${signs} signs now.`],
    };
  });
