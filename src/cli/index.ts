import { styleText } from "node:util";
import { ownEnvironment } from "#kernel/config.ts";
import { runCommand } from "./run.ts";

// Files that a command makes are for their user only, whatever the folder allows.
process.umask(0o077);

const { stdin, stdout, stderr } = process;
// Whoever reads may stop early, as `head` does.
stdout.on("error", () => undefined);

process.exitCode = await runCommand(process.argv.slice(2), {
  environment: ownEnvironment,
  stdin,
  stdout,
  colors: styleText("green", "", { stream: stdout }) !== "",
  stderr,
});
