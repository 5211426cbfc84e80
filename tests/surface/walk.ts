// The commands of a Markdown page with what they are said to print, and a shell to type them into.

import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";

export type Step = {
  readonly commands: string;
  /** What the page shows behind the commands, where `…` stands for anything; undefined when it shows nothing. */
  readonly shows: string | undefined;
};

/** Every `sh` block under a heading of the second level, with the `text` block that follows it. */
export const stepsUnder = (heading: string, page: string): readonly Step[] => {
  const [, section = ""] = page.split(`\n## ${heading}\n`);
  const [body = ""] = section.split("\n## ", 1);
  return [...body.matchAll(/^```sh\n(.*?)^```$(?:\n+```text\n(.*?)^```$)?/gms)].map(
    ([, commands = "", shows]) => ({ commands, shows }),
  );
};

/** Whether a text is what the page shows; line ends, and white space around it, don't count. */
export const isShown = (shows: string, printed: string): boolean => {
  const parts = shows
    .trim()
    .split("…")
    .map((part) => part.replaceAll(/[$()*+.?[\\\]^{|}]/g, "\\$&"));
  return new RegExp(`^${parts.join(".+")}$`, "s").test(printed.replaceAll("\r\n", "\n").trim());
};

export type Shell = {
  /** Types a block and waits for its end. @throws Error when its last command fails */
  type(commands: string): Promise<string>;
  close(): void;
};

/** One shell for a whole walk, so that a variable of one block is there in the next one. */
export const openShell = (folder: string): Shell => {
  const shell = spawn("sh", [], { cwd: folder, stdio: ["pipe", "pipe", "ignore"] });
  let printed = "";
  let look = (): void => undefined;
  let fail = (): void => undefined;
  shell.once("close", () => fail());
  shell.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
    look();
  });
  return {
    type: (commands) =>
      new Promise((resolve, reject) => {
        const end = `end-${randomUUID()}`;
        look = () => {
          const found = new RegExp(`([^]*)\\n${end} (\\d+)\\n`).exec(printed);
          if (!found) return;
          const [whole, output = "", code = ""] = found;
          printed = printed.slice(whole.length);
          if (code === "0") resolve(output);
          else reject(new Error(`The shell ended this with ${code}:\n${commands}${output}`));
        };
        fail = () => reject(new Error(`The shell ended in the middle of:\n${commands}`));
        shell.stdin.write(`${commands}\nprintf '\\n%s %s\\n' ${end} $?\n`);
      }),
    close: () => void shell.kill(),
  };
};
