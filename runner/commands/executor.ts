import type { Clock } from "../../src/runtime/clock.ts";
import type { Log } from "../../src/runtime/log.ts";
import type { Deadlines } from "../deadlines.ts";
import { type Assignment, type Executor, type Report, unmeasured } from "../executor.ts";
import { type InputFault, invalidInput } from "../input-faults.ts";
import { spansHere } from "../spans.ts";
import { argumentsOf } from "./arguments.ts";
import type { Descriptors } from "./descriptors.ts";
import type { Keeper } from "./keeper.ts";
import { ROW_BYTES } from "./lines.ts";
import { type Cause, notAllowed, outcomeOf } from "./outcome.ts";
import { createOutput } from "./output.ts";
import type { Command } from "./prepare.ts";
import { runProcess, type Start } from "./process.ts";
import { createWorkplace, type Workplace } from "./workplace.ts";
import type { Wrapper } from "./wrapper.ts";

export type CommandDeps = {
  readonly clock: Clock;
  readonly log: Log;
  readonly deadlines: Deadlines;
  readonly keeper: Pick<Keeper, "hold" | "free">;
  /** What every command starts with, found while the runner starts. */
  readonly launch: () => Launch;
};

export type Launch = { readonly wrapper: Wrapper; readonly descriptors: Descriptors };

/** Runs one configured command. What it may not or cannot take fails before any process is started. */
export const commandExecutor = (command: Command, deps: CommandDeps): Executor => ({
  outputLimits: { ...command.output, lineBytes: ROW_BYTES },
  execute: async (assignment, report, signal) => {
    const { organizations } = command;
    if (organizations !== null && !organizations.has(assignment.ref.organizationId)) {
      return { ...notAllowed(), ...unmeasured };
    }
    const mapped = mapInput(command, assignment);
    if (!mapped.ok) return { kind: "failed", error: invalidInput(mapped.faults), ...unmeasured };
    let workplace: Workplace;
    try {
      workplace = await createWorkplace(command, deps.log);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      const said = { result: "", lastWords: "" };
      return { ...outcomeOf(command, { kind: "not_started", why }, null, said), ...unmeasured };
    }
    try {
      const { wrapper, descriptors } = deps.launch();
      const start: Start = {
        line: mapped.line(wrapper),
        descriptors,
        directory: workplace.directory,
        environment: { ...command.environment, ...workplace.environment },
        input: mapped.input,
      };
      return await attempt(command, assignment, start, report, signal, deps);
    } finally {
      await workplace.remove();
    }
  },
});

type Mapped =
  | { readonly ok: false; readonly faults: readonly InputFault[] }
  | {
      readonly ok: true;
      readonly input: string | null;
      line(wrapper: Wrapper): Start["line"];
    };

const mapInput = (command: Command, { input, ref }: Assignment): Mapped => {
  const taken = command.parameters.take(input);
  if (!taken.ok) return taken;
  const values = new Map<string, unknown>([
    ...Object.entries(taken.values),
    ["job.id", ref.jobId],
    ["job.attempt", ref.attempt],
    ["job.organization_id", ref.organizationId],
  ]);
  const made = argumentsOf(command.template, { values, mayDash: command.mayDash });
  if (!made.ok) return made;
  return {
    ok: true,
    input: command.stdin === "input" ? JSON.stringify(taken.values) : null,
    line: (wrapper) => {
      const [file = command.program, ...rest] = [
        ...wrapper.prefix(command.newPrivileges),
        command.program,
        ...made.args,
      ];
      return [file, ...rest];
    },
  };
};

const attempt = async (
  command: Command,
  { attemptTimeoutMs }: Assignment,
  start: Start,
  report: Report,
  signal: AbortSignal,
  { clock, log, deadlines, keeper }: CommandDeps,
) => {
  if (signal.aborted) return { kind: "cancelled", ...unmeasured } as const;
  let cause: Cause | null = null;
  const stop = (why: Cause): void => {
    cause ??= why;
    running.stop();
  };
  const output = createOutput({
    report,
    result: command.result,
    progress: command.progress,
    output: command.output,
    tooLarge: () => {
      stop({ kind: "too_large" });
    },
  });
  const { account, umask, killAfterMs } = command;
  const span = spansHere()("command", { attributes: { "millrace.command": command.name } });
  const running = runProcess(start, { clock, keeper, output, account, umask, killAfterMs });
  const cancel = (): void => {
    stop({ kind: "cancelled" });
  };
  const ms = Math.min(command.timeoutMs, attemptTimeoutMs);
  const takeBack = deadlines.set(ms, () => {
    stop({ kind: "late", ms });
  });
  signal.addEventListener("abort", cancel, { once: true });
  const { exit, usage, left } = await running.ended;
  span.end();
  takeBack();
  signal.removeEventListener("abort", cancel);
  output.end();
  if (left) log.error({ command: command.name }, "processes of a command could not be killed");
  const said = { result: output.result(), lastWords: output.lastWords() };
  const why: Cause | null = signal.aborted ? { kind: "cancelled" } : cause;
  return { ...outcomeOf(command, exit, why, said), ...usage };
};
