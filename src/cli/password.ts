import { createInterface } from "node:readline";
import { Writable, type Readable } from "node:stream";
import { Secret } from "#kernel/secret.ts";
import { Fault } from "./command.ts";

/** Up to the end of the first line, which does not belong to the password. @throws Fault when there is nothing */
export const firstLine = async (input: Readable): Promise<Secret> => {
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  let line = "";
  for await (line of lines) break;
  // Else the process would wait for the other end to close.
  input.destroy();
  if (line === "") throw new Fault("There is no password on standard input: its first line is empty.");
  // What Node puts in the place of bytes that it can't read: the password would not be what was meant.
  if (line.includes("\ufffd")) throw new Fault("The password on standard input is not UTF-8.");
  return new Secret(line);
};

/** Asks on a terminal, where nothing of the answers is shown. @throws Fault when they differ, or at Ctrl-C */
export const askTwice = async (input: Readable, output: Writable): Promise<Secret> => {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
  const answers = lines[Symbol.asyncIterator]();
  const ask = async (prompt: string): Promise<string> => {
    output.write(prompt);
    const answer = await answers.next();
    output.write("\n");
    if (answer.done) throw new Fault("Nothing was done.");
    return answer.value;
  };
  try {
    const password = await ask("Password: ");
    if (password === "") throw new Fault("Nothing was done: the password is empty.");
    if ((await ask("The same again: ")) !== password)
      throw new Fault("Nothing was done: the two passwords differ.");
    return new Secret(password);
  } finally {
    lines.close();
  }
};
