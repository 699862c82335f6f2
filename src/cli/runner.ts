import { loadConfig } from "../config.ts";
import type { Log } from "../runtime/log.ts";
import type { LogOptions } from "../telemetry/log.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { CliFailure, usageFailure } from "./failure.ts";
import { aborted } from "./interrupt.ts";
import { addExamples, addFormatOption, type FormatOptions } from "./options.ts";
import type { Register } from "./program.ts";
import { checkText } from "./runner-check.ts";
import { printLine, type Shell } from "./shell.ts";
import { READY } from "./supervised-child.ts";

/** The one door between the two programs: `millrace runner` loads the other one. */
const load = async () => await import("../../runner/main.ts");
type Runner = Awaited<ReturnType<typeof load>>;

/** Reads a configuration. @throws CliFailure with what is wrong in the environment */
const configured = <T>(runner: Runner, read: () => T): T => {
  try {
    return read();
  } catch (caught) {
    if (caught instanceof runner.RunnerConfigFault) throw usageFailure(caught.message);
    throw caught;
  }
};

const logFor = async (level: LogOptions["level"]): Promise<Log> => {
  const { createLog } = await import("../telemetry/log.ts");
  return createLog({ level, facts: { service: "millrace-runner" } });
};

const serve = async ({ environment, clock, random, signal }: Shell): Promise<void> => {
  const program = await load();
  const { logLevel } = loadConfig({ MILLRACE_LOG_LEVEL: environment["MILLRACE_LOG_LEVEL"] });
  const config = configured(program, () => program.readRunnerConfig(environment));
  const runner = program.composeRunner({ config, log: await logFor(logLevel), clock, random });
  // Also while it waits for a server that is not there.
  const stopped = aborted(signal).then(runner.stop);
  try {
    await runner.start();
  } catch (cause) {
    if (signal.aborted) return await stopped;
    const inSandbox = cause instanceof program.SandboxUnavailable;
    throw new CliFailure(
      EXIT.unreachable,
      `The runner cannot start: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        next: inSandbox
          ? "See what `millrace runner --check` says of this machine (docs/sandbox.md)."
          : "Check MILLRACE_INTERNAL_URL and MILLRACE_RUNNER_TOKEN.",
        cause,
      },
    );
  }
  // A parent process that supervises this one waits for it.
  process.send?.(READY);
  await stopped;
};

const check = async (
  { environment, clock, stdout }: Shell,
  options: FormatOptions,
): Promise<ExitCode> => {
  const program = await load();
  const config = configured(program, () => program.readSandboxConfig(environment));
  const found = await program.checkSandbox(config, clock, await logFor("error"));
  const contained = found.proofs.every((proof) => proof.contained);
  printLine(stdout, options.output === "json" ? JSON.stringify(found) : checkText(found));
  return contained ? EXIT.ok : EXIT.notContained;
};

export const registerRunner: Register = (parent, shell, act) => {
  const command = parent
    .command("runner")
    .summary("Runs jobs for a server until it is told to end.")
    .description(
      "Runs jobs for a server until it is told to end; then it drains. The environment\n" +
        "configures it: MILLRACE_INTERNAL_URL, MILLRACE_RUNNER_TOKEN, … (docs/configuration.md).\n" +
        "Handlers run in applications of your own (docs/handlers.md).",
    )
    .option(
      "--check",
      "only say what is wrong in the configuration file, and how well the sandbox holds; needs no server",
    )
    .action(
      act(async (options: FormatOptions & { readonly check?: boolean }) => {
        if (options.check === true) return await check(shell, options);
        await serve(shell);
        return EXIT.ok;
      }),
    );
  addExamples(
    addFormatOption(command),
    "MILLRACE_INTERNAL_URL=http://server:7411 MILLRACE_RUNNER_TOKEN=mr_… millrace runner",
    "millrace runner --check",
  );
};
