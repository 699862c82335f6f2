import { loadConfig } from "../config.ts";
import { EXIT } from "./exit-codes.ts";
import { CliFailure, usageFailure } from "./failure.ts";
import { aborted } from "./interrupt.ts";
import { addExamples } from "./options.ts";
import type { Register } from "./program.ts";
import type { Shell } from "./shell.ts";
import { READY } from "./supervised-child.ts";

/** The one door between the two programs: `millrace runner` loads the other one. */
const createRunner = async ({ environment, clock, random }: Shell) => {
  const [runner, { createLog }] = await Promise.all([
    import("../../runner/main.ts"),
    import("../telemetry/log.ts"),
  ]);
  const { logLevel } = loadConfig({ MILLRACE_LOG_LEVEL: environment["MILLRACE_LOG_LEVEL"] });
  const log = createLog({ level: logLevel, facts: { service: "millrace-runner" } });
  try {
    const config = runner.readRunnerConfig(environment);
    return runner.composeRunner({ config, log, clock, random });
  } catch (caught) {
    if (caught instanceof runner.RunnerConfigFault) throw usageFailure(caught.message);
    throw caught;
  }
};

export const registerRunner: Register = (parent, shell, act) => {
  const command = parent
    .command("runner")
    .summary("Runs jobs for a server until it is told to end.")
    .description(
      "Runs jobs for a server until it is told to end; then it drains. The environment\n" +
        "configures it: MILLRACE_INTERNAL_URL, MILLRACE_RUNNER_TOKEN, … (docs/configuration.md).",
    )
    .action(
      act(async () => {
        const runner = await createRunner(shell);
        try {
          await runner.start();
        } catch (cause) {
          throw new CliFailure(
            EXIT.unreachable,
            `The runner cannot start: ${cause instanceof Error ? cause.message : String(cause)}`,
            { next: "Check MILLRACE_INTERNAL_URL and MILLRACE_RUNNER_TOKEN.", cause },
          );
        }
        // A parent process that supervises this one waits for it.
        process.send?.(READY);
        await aborted(shell.signal);
        await runner.stop();
        return EXIT.ok;
      }),
    );
  addExamples(
    command,
    "MILLRACE_INTERNAL_URL=http://server:7411 MILLRACE_RUNNER_TOKEN=mr_… millrace runner",
  );
};
