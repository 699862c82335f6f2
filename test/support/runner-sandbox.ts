import {
  type Ending,
  type OutputStream,
  type Progress,
  type Report,
  silentReport,
} from "../../runner/executor.ts";
import { moduleCalls } from "../../runner/executors/module-calls.ts";
import type { HostCalls } from "../../runner/host-calls.ts";
import type { Isolation } from "../../runner/sandbox/choose.ts";
import { createLibraries } from "../../runner/libraries/libraries.ts";
import { DEFAULT_LIMITS, type SandboxLimits } from "../../runner/sandbox/limits.ts";
import { createUsageReader, type ReadUsage } from "../../runner/sandbox/proc.ts";
import { silentObserver } from "../../runner/observer.ts";
import { createSupervisor, type Supervisor } from "../../runner/supervisor.ts";
import { type Clock, systemClock } from "../../src/runtime/clock.ts";
import { type Log, silentLog } from "../../src/runtime/log.ts";
import { type TypeScripts, typeScripts } from "./type-scripts.ts";

export type Ran = {
  readonly ending: Ending;
  /** `STDOUT hello` */
  readonly output: readonly string[];
  readonly progress: readonly Progress[];
};

export type RunOptions = {
  readonly input?: unknown;
  readonly timeoutMs?: number;
  readonly organizationId?: string;
  readonly fileName?: "script.js" | "script.ts";
  readonly signal?: AbortSignal;
  readonly attempt?: number;
  readonly scriptHash?: string;
  readonly calls?: HostCalls;
  readonly secrets?: Readonly<Record<string, string>>;
  /** The scripts that it may import, by `<type>@<version>`. */
  readonly scripts?: TypeScripts;
  /** `<type>@<version>` of the script itself. */
  readonly type?: string;
  /** Called with each row as it comes. */
  readonly onOutput?: (row: string) => void;
};

export type Sandbox = {
  readonly supervisor: Supervisor;
  run(code: string, options?: RunOptions): Promise<Ran>;
  stop(): Promise<void>;
};

export type SandboxOptions = {
  readonly limits?: Partial<SandboxLimits>;
  readonly isolation?: Isolation;
  readonly slots?: number;
  readonly spares?: number;
  readonly canary?: boolean;
  readonly readUsage?: ReadUsage;
  readonly log?: Log;
  readonly clock?: Clock;
};

const libraries = createLibraries();

/** What the runner answers to a script's imports. */
const importsOf = (given: RunOptions, fileName: string): HostCalls => {
  const [type = "", version = "0"] = (given.type ?? "").split("@");
  return moduleCalls(
    { organizationId: "acme", type, typeVersion: Number(version), fileName },
    { scriptOf: typeScripts(given.scripts ?? {}), libraries },
  );
};

/** A supervisor with real children, and little CPU for each script. */
export const startSandbox = async (options: SandboxOptions = {}): Promise<Sandbox> => {
  const supervisor = createSupervisor({
    clock: options.clock ?? systemClock,
    log: options.log ?? silentLog,
    limits: { ...DEFAULT_LIMITS, cpuMs: 300, graceMs: 200, sampleMs: 10, ...options.limits },
    isolation: options.isolation ?? "tenant",
    slots: options.slots ?? 1,
    spares: options.spares ?? 0,
    canary: options.canary ?? false,
    readUsage: options.readUsage ?? createUsageReader(),
    observer: silentObserver,
  });
  await supervisor.start();
  return {
    supervisor,
    run: async (code, given = {}) => {
      const output: string[] = [];
      const progress: Progress[] = [];
      const report: Report = {
        ...silentReport,
        output: (stream: OutputStream, text) => {
          output.push(`${stream} ${text}`);
          given.onOutput?.(`${stream} ${text}`);
        },
        progress: (next) => {
          progress.push(next);
        },
      };
      const fileName = given.fileName ?? "script.ts";
      const ending = await supervisor.run(
        {
          organizationId: given.organizationId ?? "acme",
          jobId: "job-1",
          attempt: given.attempt ?? 1,
          scriptHash: given.scriptHash ?? "",
          code,
          fileName,
          input: JSON.stringify(given.input ?? null),
          timeoutMs: given.timeoutMs ?? 5_000,
          calls: new Map([...importsOf(given, fileName), ...(given.calls ?? [])]),
          secrets: given.secrets ?? {},
        },
        report,
        given.signal ?? new AbortController().signal,
      );
      return { ending, output, progress };
    },
    stop: supervisor.stop,
  };
};

/** The code of a failure, or how else an attempt ended. */
export const codeOf = ({ ending }: Ran): string =>
  ending.kind === "failed" ? ending.error.code : ending.kind;

/** The parsed result of an attempt that succeeded. @throws if it did not */
export const resultOf = ({ ending }: Ran): unknown => {
  if (ending.kind === "succeeded") return JSON.parse(ending.result) as unknown;
  throw new Error(`the attempt did not succeed: ${JSON.stringify(ending)}`);
};
