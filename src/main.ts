import packageFile from "../package.json" with { type: "json" };

import { commandsFor } from "./cli/commands.ts";
import { interruptSignal } from "./cli/interrupt.ts";
import { runProgram } from "./cli/program.ts";
import { environment } from "./environment.ts";
import { systemClock } from "./runtime/clock.ts";
import { systemRandom } from "./runtime/random.ts";

// A reader that has seen enough (`millrace job list | head`) is no fault.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

const shell = {
  environment: environment(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  clock: systemClock,
  random: systemRandom,
  signal: interruptSignal(process),
};

const args = process.argv.slice(2);
const commands = await commandsFor(args);
process.exitCode = await runProgram(args, shell, packageFile.version, commands);
// The channel to a parent process would keep this one alive.
process.disconnect?.();
// Nor does one that was told to end wait for others, such as a collector that does not answer.
if (shell.signal.aborted) process.exit();
