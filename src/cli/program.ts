import { Command, CommanderError } from "commander";

import { EXIT, type ExitCode } from "./exit-codes.ts";
import { CliFailure, failureJson, failureText, usageFailure } from "./failure.ts";
import { printLine, type Shell } from "./shell.ts";
import type { OutputFormat } from "./options.ts";

/** The action of a command: its answer becomes the exit code of the process. */
export type Act = <A extends readonly unknown[]>(
  work: (...args: A) => Promise<ExitCode>,
) => (...args: A) => Promise<void>;

/** Adds one command to its parent. */
export type Register = (parent: Command, shell: Shell, act: Act) => void;

const DESCRIPTION = `A durable job service: submit jobs over gRPC or Connect, run them in sandboxes,
watch them happen. \`millrace dev\` starts all of it on this machine.`;

const EXIT_CODES = `
Exit codes:
  0  done; a job that was waited for succeeded
  1  the job failed
  2  the command line or the input is wrong
  3  the job was cancelled
  4  the server cannot be reached or does not know the token
  5  the server refused for another reason
`;

/** A failure as it is, or what else was thrown as one. */
const failureOf = (caught: unknown): CliFailure => {
  if (caught instanceof CliFailure) return caught;
  // By its name, so that no command loads what reads a configuration to tell it.
  if (caught instanceof Error && caught.name === "ConfigFault") return usageFailure(caught.message);
  return unexpected(caught);
};

const unexpected = (caught: unknown): CliFailure =>
  new CliFailure(EXIT.refused, caught instanceof Error ? caught.message : String(caught), {
    reason: "INTERNAL",
    next: "Set MILLRACE_LOG_LEVEL=debug to see where it happened.",
    cause: caught,
  });

const debugTrace = (failure: CliFailure): string => {
  const cause = failure.cause;
  return cause instanceof Error ? (cause.stack ?? cause.message) : (failure.stack ?? "");
};

/** Runs one command line and answers with the exit code. Never throws. */
export const runProgram = async (
  args: readonly string[],
  shell: Shell,
  version: string,
  commands: readonly Register[],
): Promise<ExitCode> => {
  let exitCode: ExitCode = EXIT.ok;
  const chosen: { output: OutputFormat } = { output: "text" };
  const act: Act =
    (work) =>
    async (...given) => {
      exitCode = await work(...given);
    };
  const program = new Command("millrace")
    .description(DESCRIPTION)
    .version(version, "-V, --version")
    .configureOutput({
      writeOut: (text) => shell.stdout.write(text),
      writeErr: (text) => shell.stderr.write(text),
    })
    .showHelpAfterError("Add --help to see how it is used.")
    .exitOverride()
    .addHelpText("after", EXIT_CODES)
    .hook("preAction", (_, action) => {
      chosen.output = action.opts<{ output?: OutputFormat }>().output ?? "text";
    });
  for (const register of commands) register(program, shell, act);
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (caught) {
    if (caught instanceof CommanderError) return caught.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (shell.signal.aborted && !(caught instanceof CliFailure)) return EXIT.interrupted;
    const failure = failureOf(caught);
    printLine(shell.stderr, chosen.output === "json" ? failureJson(failure) : failureText(failure));
    if (shell.environment["MILLRACE_LOG_LEVEL"] === "debug") {
      printLine(shell.stderr, debugTrace(failure));
    }
    return failure.exitCode;
  }
};
