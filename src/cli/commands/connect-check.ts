import { checkProviderFile, faultLine } from "#connect";
import type { Call, Ending } from "../command.ts";

/** Looks at the file as a server does at its start. @throws SetupFault when it can't be read */
export const check = ({ operand: file }: Call): Ending => {
  const faults = checkProviderFile(file);
  return {
    output: faults.length === 0 ? "ok" : faults.map(faultLine).join("\n"),
    json: { ok: faults.length === 0, faults },
    failed: faults.length > 0,
  };
};
