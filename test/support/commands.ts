import {
  type Assignment,
  type Ending,
  type Progress,
  type Report,
  silentReport,
} from "../../runner/executor.ts";
import { type Command, prepareCommands } from "../../runner/commands/prepare.ts";
import { createCommands } from "../../runner/commands/service.ts";
import { parseSettings } from "../../runner/settings.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLog } from "../../src/runtime/log.ts";

export const ACME = "01981f4e-0000-7000-8000-00000000acce";

/** What stands below a command's name in the file, without what every one of these tests would say. */
export type Given = Readonly<Record<string, unknown>> & { readonly argv: readonly unknown[] };

type Environment = Readonly<Record<string, string>>;

/** As they come out of the runner's file. @throws SettingsFault */
export const commandsFrom = (
  given: Readonly<Record<string, Given>>,
  environment: Environment = {},
): readonly Command[] => {
  const commands = Object.fromEntries(
    Object.entries(given).map(([name, one]) => [name, { organizations: [ACME], ...one }]),
  );
  const text = JSON.stringify({ commands });
  return prepareCommands(parseSettings(text, "runner.yaml").commands, environment);
};

/** A command that a shell runs; `$1` and so on are `args`. */
export const shell = (script: string, ...args: readonly unknown[]): readonly unknown[] => [
  "/bin/sh",
  "-c",
  script,
  "sh",
  ...args,
];

export type CommandRun = {
  readonly ending: Ending;
  /** `STDOUT hello` */
  readonly output: readonly string[];
  readonly progress: readonly Progress[];
};

export type CommandRunOptions = {
  readonly input?: unknown;
  readonly timeoutMs?: number;
  readonly organizationId?: string;
  readonly signal?: AbortSignal;
  /** Called with each row as it comes. */
  readonly onOutput?: (row: string) => void;
};

export type TestCommands = {
  run(name: string, options?: CommandRunOptions): Promise<CommandRun>;
  stop(): Promise<void>;
};

/** The commands of a runner without the runner. */
export const startCommands = async (
  given: Readonly<Record<string, Given>>,
  environment: Environment = {},
): Promise<TestCommands> => {
  const commands = createCommands(commandsFrom(given, environment), {
    clock: systemClock,
    log: silentLog,
  });
  await commands.start();
  return {
    run: async (name, options = {}) => {
      const output: string[] = [];
      const progress: Progress[] = [];
      const report: Report = {
        ...silentReport,
        output: (stream, text) => {
          output.push(`${stream} ${text}`);
          options.onOutput?.(`${stream} ${text}`);
        },
        progress: (next) => {
          progress.push(next);
        },
      };
      const executor = commands.executors.get(`command:${name}`);
      if (executor === undefined) throw new Error(`there is no command ${name}`);
      const assignment: Assignment = {
        ref: {
          organizationId: options.organizationId ?? ACME,
          jobId: "job-1",
          attempt: 1,
          leaseToken: "lease-1",
        },
        capability: `command:${name}`,
        scriptHash: "",
        input: JSON.stringify(options.input ?? {}),
        attemptTimeoutMs: options.timeoutMs ?? 20_000,
        type: name,
        typeVersion: 1,
        creatorId: "",
        runAs: "",
        labels: {},
        traceparent: "",
        jobToken: "job-token",
      };
      const signal = options.signal ?? new AbortController().signal;
      return { ending: await executor.execute(assignment, report, signal), output, progress };
    },
    stop: commands.stop,
  };
};

/** The code of a failure, or how else an attempt ended. */
export const endOf = ({ ending }: Pick<CommandRun, "ending">): string =>
  ending.kind === "failed" ? ending.error.code : ending.kind;

/** @throws if the attempt did not succeed */
export const resultOf = ({ ending }: Pick<CommandRun, "ending">): unknown => {
  if (ending.kind === "succeeded") return JSON.parse(ending.result) as unknown;
  throw new Error(`the attempt did not succeed: ${JSON.stringify(ending)}`);
};

/** The message of a failure. @throws if the attempt did not fail */
export const messageOf = ({ ending }: Pick<CommandRun, "ending">): string => {
  if (ending.kind === "failed") return ending.error.message;
  throw new Error(`the attempt did not fail: ${JSON.stringify(ending)}`);
};
