import { Refusal } from "../../kernel/errors.ts";
import { refusals } from "../model/refusals.ts";

/** A configuration that no request can be built from any more is for whoever links the account anew. */
export const unusableOf = (error: unknown): unknown => {
  if (!(error instanceof Refusal) || error.kind !== refusals.input_invalid) return error;
  const why = error.issues.map(({ message }) => message).join("; ");
  return new Refusal(refusals.connection_failing, {
    text: `No call can be made through this connection: ${why}`,
  });
};
