import { hostname } from "node:os";

import { type Address, type Environment, loadConfig } from "../config.ts";
import type { Service } from "../runtime/lifecycle.ts";
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

const SERVICE = "millrace-runner";

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
  return createLog({ level, facts: { service: SERVICE } });
};

/** The variables that servers and runners read alike. */
const sharedWithServers = (environment: Environment): Environment =>
  Object.fromEntries(
    Object.entries(environment).filter(([name]) => /^(OTEL_.*|MILLRACE_LOG_LEVEL)$/.test(name)),
  );

/** The runner's own OpenTelemetry, and what turns what it tells into measurements. */
const measured = async (environment: Environment, metricsListen: Address | null) => {
  const [{ startTelemetry }, { createMeters }, { createRunnerObserver }, { RUNNER_TABLE }] =
    await Promise.all([
      import("../telemetry/telemetry.ts"),
      import("../telemetry/meters.ts"),
      import("../telemetry/runner-observer.ts"),
      import("../telemetry/tables/runner.ts"),
    ]);
  const { logLevel, otel } = loadConfig(sharedWithServers(environment));
  const telemetry = await startTelemetry({
    service: SERVICE,
    instance: `${hostname()}-${process.pid}`,
    logLevel,
    metricsListen,
    metricsVariable: "MILLRACE_RUNNER_METRICS_LISTEN",
    otel,
  });
  const observer = createRunnerObserver(createMeters(telemetry.meter, RUNNER_TABLE));
  return { observer, telemetry };
};

const serve = async (shell: Shell): Promise<void> => {
  const program = await load();
  const config = configured(program, () => program.readRunnerConfig(shell.environment));
  const { observer, telemetry } = await measured(shell.environment, config.metricsListen);
  try {
    const { clock, random } = shell;
    const { log } = telemetry;
    await run(program, program.composeRunner({ config, log, observer, clock, random }), shell);
  } finally {
    await telemetry.stop();
  }
};

const run = async (program: Runner, runner: Service, { signal }: Shell): Promise<void> => {
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
