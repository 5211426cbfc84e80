import type { Command, Option } from "./command.ts";
import { everywhere } from "./commands.ts";

const columns = 80;

/** Lines of at most 80 columns, each behind so many blanks. */
const wrap = (text: string, indent: number): readonly string[] => {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one) => `${" ".repeat(indent)}${one}`);
};

/** Two columns; the right one is wrapped. */
const listed = (rows: readonly (readonly [string, string])[]): readonly string[] => {
  const width = Math.max(...rows.map(([left]) => left.length)) + 4;
  return rows.flatMap(([left, right]) => {
    const [first = "", ...more] = wrap(right, width);
    return [`  ${left}`.padEnd(width) + first.trimStart(), ...more];
  });
};

const optionRow = ({ name, value, summary }: Option): readonly [string, string] => [
  value === undefined ? `--${name}` : `--${name} ${value}`,
  summary,
];

const oneCommand = (command: Command): readonly string[] => [
  ...wrap(command.summary, 0),
  "",
  `Usage: ${command.usage}`,
  "",
  ...listed([...command.options, ...everywhere].map(optionRow)),
  ...command.details.flatMap((paragraph) => ["", ...wrap(paragraph, 0)]),
];

const severalCommands = (commands: readonly Command[]): readonly string[] => [
  "Usage: latchkey COMMAND [OPTIONS]",
  "",
  ...listed(
    commands.map(({ name, operand, summary }) => [
      operand === undefined ? name : `${name} ${operand}`,
      summary,
    ]),
  ),
  "",
  "`latchkey help COMMAND` explains one of them. Every command takes --json.",
  "Settings come from the environment. In a checkout: npm run -s latchkey -- COMMAND",
];

export const helpText = (commands: readonly Command[]): string => {
  const [only, ...others] = commands;
  return (only && others.length === 0 ? oneCommand(only) : severalCommands(commands)).join("\n");
};

export const helpJson = (commands: readonly Command[]): unknown =>
  commands.map(({ name, usage, summary, details, options }) => ({ name, usage, summary, details, options }));

/** The little that somebody sees who mistyped. */
export const usageText = (commands: readonly Command[]): string => {
  const [only, ...others] = commands;
  if (!only) return "Usage: latchkey COMMAND [OPTIONS]\n`latchkey help` shows the commands.";
  return others.length === 0 ? `Usage: ${only.usage}` : severalCommands(commands).join("\n");
};
