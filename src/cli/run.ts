import about from "../../package.json" with { type: "json" };
import { reasonOf, Refusal, SetupFault, type Issue } from "#kernel/errors.ts";
import { understand, UsageFault } from "./arguments.ts";
import { Fault, type Ending } from "./command.ts";
import { commands } from "./commands.ts";
import { helpJson, helpText, usageText } from "./help.ts";
import type { Io } from "./io.ts";

/** 0: done; 1: refused or failed; 2: not understood. */
export type ExitCode = 0 | 1 | 2;

const carryOut = async (typed: readonly string[], io: Io): Promise<Ending | undefined> => {
  const wish = understand(commands, typed);
  switch (wish.kind) {
    case "version":
      return { output: about.version, json: { version: about.version } };
    case "help":
      return { output: helpText(wish.of), json: helpJson(wish.of) };
    case "run":
      return wish.command.run(wish.call, io);
  }
};

/** What begins with a capital is a sentence of its own, but for those of the parser, which name no field. */
const issueSentence = ({ field, rule, message }: Issue): string =>
  rule !== "custom" || /^\p{Ll}/u.test(message) ? `${field}: ${message}.` : `${message}.`;

/** A sentence for whatever went wrong; what is no expected ending is told as it is. */
const sentenceOf = (error: unknown): string => {
  if (error instanceof Refusal && error.issues.length > 0) {
    // Those of the Connect wire come with a text, and their messages name no field.
    const tellIssue = error.text === undefined ? ({ message }: Issue) => `${message}.` : issueSentence;
    return error.issues.map(tellIssue).join(" ");
  }
  if (
    error instanceof Refusal ||
    error instanceof SetupFault ||
    error instanceof Fault ||
    error instanceof UsageFault
  )
    return error.message;
  return `It failed unexpectedly: ${reasonOf(error)}`;
};

/**
 * Carries out one line of the operator's command line. Standard output has what was made or asked for and nothing
 * else; sentences for people go to standard error. Never throws: what goes wrong is a sentence and an exit code.
 *
 * @param typed what stands behind the program's name
 * @returns once it is over; for `serve`, once the server listens
 */
export const runCommand = async (typed: readonly string[], io: Io): Promise<ExitCode> => {
  const asJson = typed.includes("--json");
  const tell = (sentence: string): void => void io.stderr.write(`${sentence}\n`);
  try {
    const ending = await carryOut(typed, io);
    if (!ending) return 0;
    const text = asJson ? JSON.stringify(ending.json) : ending.output;
    if (text !== undefined) io.stdout.write(`${text}\n`);
    if (!asJson) ending.notes?.forEach(tell);
    return ending.failed ? 1 : 0;
  } catch (error) {
    const sentence = sentenceOf(error);
    tell(asJson ? JSON.stringify({ error: sentence }) : sentence);
    if (!(error instanceof UsageFault)) return 1;
    if (!asJson) tell(usageText(error.of));
    return 2;
  }
};
