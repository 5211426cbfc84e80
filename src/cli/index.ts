import about from "../../package.json" with { type: "json" };
import { reasonOf, Refusal, SetupFault, type Issue } from "#kernel/errors.ts";
import { understand, UsageFault } from "./arguments.ts";
import { Fault } from "./command.ts";
import { commands } from "./commands.ts";
import { helpJson, helpText, usageText } from "./help.ts";

/**
 * The operator's command line. Standard output has what was made or asked for and nothing else; sentences for people
 * go to standard error. Exit code 0: done; 1: refused or failed; 2: not understood.
 */

// Files that a command makes are for their user only, whatever the folder allows.
process.umask(0o077);

const typed = process.argv.slice(2);
const asJson = typed.includes("--json");

const print = (output: string | undefined, json: unknown): void => {
  const text = asJson ? JSON.stringify(json) : output;
  if (text !== undefined) process.stdout.write(`${text}\n`);
};

const tell = (sentence: string): void => void process.stderr.write(`${sentence}\n`);

const run = async (): Promise<void> => {
  const wish = understand(commands, typed);
  if (wish.kind === "version") return print(about.version, { version: about.version });
  if (wish.kind === "help") return print(helpText(wish.of), helpJson(wish.of));
  const ending = await wish.command.run(wish.call);
  if (!ending) return;
  print(ending.output, ending.json);
  if (!asJson) ending.notes?.forEach(tell);
  if (ending.failed) process.exitCode = 1;
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
  if (error instanceof Refusal || error instanceof SetupFault || error instanceof Fault) return error.message;
  return `It failed unexpectedly: ${reasonOf(error)}`;
};

const fail = (error: unknown): void => {
  const sentence = error instanceof UsageFault ? error.message : sentenceOf(error);
  if (asJson) tell(JSON.stringify({ error: sentence }));
  else {
    tell(sentence);
    if (error instanceof UsageFault) tell(usageText(error.of));
  }
  process.exitCode = error instanceof UsageFault ? 2 : 1;
};

// Whoever reads may stop early, as `head` does.
process.stdout.on("error", () => undefined);

try {
  await run();
} catch (error) {
  fail(error);
}
