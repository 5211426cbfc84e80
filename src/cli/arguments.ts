import { parseArgs, type ParseArgsConfig } from "node:util";
import { nearestTo } from "#kernel/nearest.ts";
import type { Call, Command, Option } from "./command.ts";
import { everywhere } from "./commands.ts";

/** What a command line asks for. */
export type Wish =
  | { readonly kind: "run"; readonly command: Command; readonly call: Call }
  /** Of these commands: one, those of a group, or all. */
  | { readonly kind: "help"; readonly of: readonly Command[] }
  | { readonly kind: "version" };

/** The command line can't be understood. What was typed beyond names is never quoted: it may be a password. */
export class UsageFault extends Error {
  /** The commands whose usage the typist should see; none when it is not known what was meant. */
  readonly of: readonly Command[];

  constructor(sentence: string, of: readonly Command[]) {
    super(sentence);
    this.name = "UsageFault";
    this.of = of;
  }
}

const isSwitch = (word: string): boolean => word.startsWith("-");
const groupOf = (command: Command): string => command.name.split(" ", 1)[0] ?? "";

const didYouMean = (nearest: string | undefined): string =>
  nearest === undefined ? "" : ` Did you mean "${nearest}"?`;

/** A third of the letters may be wrong. */
const suggest = (typed: string, known: readonly string[]): string | undefined =>
  nearestTo(typed, known, Math.ceil(typed.length / 3));

const namesOf = (commands: readonly Command[]): readonly string[] => commands.map(({ name }) => name);

/** What somebody meant who typed these words, none of which begins a command. */
const meantBy = (
  commands: readonly Command[],
  first: string,
  second: string | undefined,
): string | undefined => {
  const names = namesOf(commands);
  const behind = names.filter((name) => name.endsWith(` ${first}`));
  return (
    (second === undefined ? undefined : suggest(`${first} ${second}`, names)) ??
    suggest(first, [...names, ...commands.map(groupOf)]) ??
    (behind.length === 1 ? behind[0] : undefined)
  );
};

type Found = {
  readonly found: readonly Command[];
  readonly words: number;
  /** One command is named, and not only how some begin. */
  readonly isWhole: boolean;
};

const mostWords = 3;

/** The commands that the words name, and how many of the words do so. @throws UsageFault */
const find = (commands: readonly Command[], typed: readonly string[]): Found => {
  for (let words = Math.min(typed.length, mostWords); words > 0; words--) {
    const name = typed.slice(0, words).join(" ");
    const whole = commands.find((command) => command.name === name);
    if (whole) return { found: [whole], words, isWhole: true };
  }
  const group = commands.filter(({ name }) => name.startsWith(`${typed.join(" ")} `));
  if (group.length > 0) return { found: group, words: typed.length, isWhole: false };
  const [first = "", second] = typed;
  const near = namesOf(commands.filter((command) => groupOf(command) === first));
  // A third word may be anything, a password too: it is looked at, and not told.
  const both = `${first} ${second}`;
  const [told, meant] =
    near.length > 0
      ? [both, suggest(typed.slice(0, mostWords).join(" "), near) ?? suggest(both, near)]
      : [first, meantBy(commands, first, second)];
  throw new UsageFault(`"${told}" is not a command.${didYouMean(meant)}`, []);
};

/** Somebody who types `--pasword` means the option that begins with `password`. */
const nearestOption = (typed: string, known: readonly Option[]): Option | undefined => {
  const beginnings = known.map(({ name }) => name.split("-", 1)[0] ?? "");
  const word = suggest(typed, [...known.map(({ name }) => name), ...beginnings]);
  return known.find(({ name }) => name === word) ?? known[beginnings.indexOf(word ?? "")];
};

const failing =
  (command: Command) =>
  (sentence: string): never => {
    throw new UsageFault(sentence, [command]);
  };

type Parsed = { readonly operands: readonly string[]; readonly call: Omit<Call, "operand"> };

const parse = (command: Command, rest: readonly string[]): Parsed => {
  const known: readonly Option[] = [...command.options, ...everywhere];
  const kinds: NonNullable<ParseArgsConfig["options"]> = { help: { type: "boolean", short: "h" } };
  for (const { name, value } of known) kinds[name] ??= { type: value === undefined ? "boolean" : "string" };
  const { tokens } = parseArgs({
    args: [...rest],
    options: kinds,
    allowPositionals: true,
    // Its own sentences quote what was typed.
    strict: false,
    tokens: true,
  });
  const fail = failing(command);
  const operands: string[] = [];
  const switches = new Set<string>();
  const values = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const option = known.find(({ name }) => name === token.name);
    if (!option) {
      const nearest = nearestOption(token.name, known);
      return fail(
        `${token.rawName} is not an option of ${command.name}.${didYouMean(nearest && `--${nearest.name}`)}`,
      );
    }
    if (switches.has(option.name) || values.has(option.name)) fail(`--${option.name} is there twice.`);
    if (option.value === undefined) {
      if (token.value !== undefined) fail(`--${option.name} takes no value.`);
      switches.add(option.name);
    } else if (token.value === undefined || (!token.inlineValue && isSwitch(token.value))) {
      fail(`--${option.name} needs a value: --${option.name} ${option.value}.`);
    } else values.set(option.name, token.value);
  }
  return { operands, call: { switches, values } };
};

const wishOf = (command: Command, rest: readonly string[]): Wish => {
  const { operands, call } = parse(command, rest);
  if (call.switches.has("help")) return { kind: "help", of: [command] };
  const fail = failing(command);
  const most = command.operand === undefined ? 0 : 1;
  if (operands.length > most)
    fail(
      most === 0 ? `${command.name} takes only options.` : `${command.name} takes one ${command.operand}.`,
    );
  const [operand = ""] = operands;
  if (most === 1 && operand === "") fail(`${command.name} needs ${command.operand}.`);
  const missing = command.options.find(
    ({ name, required }) => required && !call.switches.has(name) && !call.values.has(name),
  );
  if (missing) fail(`${command.name} needs --${missing.name}.`);
  return { kind: "run", command, call: { operand, ...call } };
};

/** @param typed what stands behind the program's name. @throws UsageFault */
export const understand = (commands: readonly Command[], typed: readonly string[]): Wish => {
  // Options that every command takes may also stand in front of it.
  const inFront = typed.findIndex((word) => !["--json", "--help", "-h", "--version"].includes(word));
  const front = inFront < 0 ? typed : typed.slice(0, inFront);
  const behind = inFront < 0 ? [] : typed.slice(inFront);
  if (front.includes("--version")) return { kind: "version" };
  const wantsHelp = front.includes("--help") || front.includes("-h") || behind[0] === "help";
  const words = behind.slice(behind[0] === "help" ? 1 : 0);
  const until = words.findIndex(isSwitch);
  const names = until < 0 ? words : words.slice(0, until);
  if (names.length === 0) {
    if (wantsHelp) return { kind: "help", of: commands };
    throw new UsageFault(until < 0 ? "Say what to do." : "Say first what to do, then how.", commands);
  }
  const { found, words: taken, isWhole } = find(commands, names);
  const rest = [...front, ...words.slice(taken)];
  const [only] = found;
  if (wantsHelp) return { kind: "help", of: found };
  if (only && isWhole) return wishOf(only, rest);
  if (rest.some((word) => word === "--help" || word === "-h")) return { kind: "help", of: found };
  const begun = names.join(" ");
  const choices = found.map(({ name }) => name.slice(begun.length + 1)).join(", ");
  throw new UsageFault(`Say what to do with "${begun}": ${choices}.`, found);
};
