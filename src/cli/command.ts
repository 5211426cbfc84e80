import type { Io } from "./io.ts";

/** What a command is, to the table, to the parser of the command line, and to the pages that show it. */

export type Option = {
  /** As it is typed behind two hyphens. */
  readonly name: string;
  /** Stands for the value in usage lines; without it the option is a switch. */
  readonly value?: string;
  /** Without it the command is not carried out. */
  readonly required?: true;
  readonly summary: string;
};

/** A command line that was understood. */
export type Call = {
  /** What was typed in the place of `EMAIL` or `KID`; empty for commands that take nothing. */
  readonly operand: string;
  readonly switches: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, string>;
};

/** How a command ended well. */
export type Ending = {
  /** Alone on standard output: what was made, or what was asked for. */
  readonly output?: string;
  /** On standard output instead, with `--json`. */
  readonly json: unknown;
  /** Sentences for people, on standard error. */
  readonly notes?: readonly string[];
  /** What was looked at is not in order: exit code 1. */
  readonly failed?: boolean;
};

export type Command = {
  readonly name: string;
  readonly usage: string;
  /** One sentence. */
  readonly summary: string;
  /** What there is to know besides, a paragraph each. */
  readonly details: readonly string[];
  readonly operand: string | undefined;
  readonly options: readonly Option[];
  /** Undefined when it goes on running. @throws SetupFault, Refusal, Fault */
  readonly run: (call: Call, io: Io) => Promise<Ending | undefined>;
};

type Row = Pick<Command, "name" | "summary" | "run"> & {
  readonly operand?: string;
  readonly options?: readonly Option[];
  readonly details?: readonly string[];
};

const usageOf = ({ name, operand, options = [] }: Row): string => {
  const typed = options.map(({ name: option, value, required }) => {
    const text = value === undefined ? `--${option}` : `--${option} ${value}`;
    return required ? text : `[${text}]`;
  });
  return ["latchkey", name, ...(operand === undefined ? [] : [operand]), ...typed].join(" ");
};

export const command = (row: Row): Command => ({
  name: row.name,
  usage: usageOf(row),
  summary: row.summary,
  details: row.details ?? [],
  operand: row.operand,
  options: row.options ?? [],
  run: row.run,
});

/** The command could not be carried out, and this sentence says why. */
export class Fault extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = "Fault";
  }
}
