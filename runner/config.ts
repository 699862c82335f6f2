import { readFileSync } from "node:fs";

import { z } from "zod";

import { type Isolation, ISOLATIONS } from "./sandbox/choose.ts";
import { DEFAULT_DRAIN_SECONDS, DEFAULT_SLOTS, hereName } from "./defaults.ts";
import { type Command, prepareCommands } from "./commands/prepare.ts";
import { DEFAULT_LIMITS, type SandboxLimits } from "./sandbox/limits.ts";
import { NO_SETTINGS, readSettings, type RunnerSettings, SettingsFault } from "./settings.ts";

export type RunnerConfig = {
  /** The internal listener of any server. */
  readonly internalUrl: string;
  readonly token: string;
  /** Attempts at once. */
  readonly slots: number;
  /** How long running attempts may go on after `stop`. */
  readonly drainMs: number;
  readonly limits: SandboxLimits;
  /** Fresh children kept ready for an organization that comes new. */
  readonly spares: number;
  /** Who shares a sandbox child with whom. */
  readonly isolation: Isolation;
  /** From the file that MILLRACE_RUNNER_CONFIG names. */
  readonly settings: RunnerSettings;
  /** Those of the settings, checked against this system. */
  readonly commands: readonly Command[];
  /** Where Prometheus collects `/metrics`; null: nowhere. */
  readonly metricsListen: { readonly host: string; readonly port: number } | null;
  /** For people: where this runner runs. */
  readonly displayName: string;
};

export type SandboxConfig = Pick<RunnerConfig, "isolation" | "limits">;

export type Environment = Readonly<Record<string, string | undefined>>;

/** What is wrong with the environment, with the variable and the value allowed. */
export class RunnerConfigFault extends Error {
  override readonly name = "RunnerConfigFault";
}

const MIB = 1024 * 1024;

const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

const address = z
  .string()
  .regex(/^(\[[0-9a-fA-F:.]+\]|[^\s:/]+):\d{1,5}$/, "must be host:port, or off")
  .transform((text) => {
    const colon = text.lastIndexOf(":");
    return {
      host: text.slice(0, colon).replace(/^\[|\]$/g, ""),
      port: Number(text.slice(colon + 1)),
    };
  })
  .refine(({ port }) => port <= 65_535, "must have a port up to 65535");

/** Every variable that a runner reads. docs/scripts.md explains the limits among them. */
const schema = z.object({
  MILLRACE_INTERNAL_URL: z.url({ protocol: /^https?$/ }).default("http://127.0.0.1:7411"),
  MILLRACE_RUNNER_TOKEN: z.string().min(1).optional(),
  MILLRACE_RUNNER_TOKEN_FILE: z.string().min(1).optional(),
  MILLRACE_RUNNER_SLOTS: whole(1, 10_000).default(DEFAULT_SLOTS),
  MILLRACE_RUNNER_SPARES: whole(0, 100).default(1),
  MILLRACE_RUNNER_DRAIN_SECONDS: whole(0, 86_400).default(DEFAULT_DRAIN_SECONDS),
  MILLRACE_RUNNER_CONFIG: z.string().min(1).optional(),
  MILLRACE_RUNNER_METRICS_LISTEN: z
    .literal("off")
    .transform(() => null)
    .or(address)
    .default(null),
  MILLRACE_ISOLATION: z.enum(ISOLATIONS).default("tenant"),
  MILLRACE_SCRIPT_CPU_SECONDS: z.coerce.number().positive().max(86_400).default(5),
  MILLRACE_SCRIPT_HEAP_MB: whole(8, 4_096).default(DEFAULT_LIMITS.heapMb),
  MILLRACE_SCRIPT_RSS_MB: whole(100, 65_536).default(DEFAULT_LIMITS.rssBytes / MIB),
});

const parseEnvironment = (environment: Environment): z.infer<typeof schema> => {
  const own = Object.fromEntries(
    Object.entries(environment).filter(
      ([name, value]) => name.startsWith("MILLRACE_") && value !== "",
    ),
  );
  const parsed = schema.safeParse(own);
  if (!parsed.success) throw new RunnerConfigFault(z.prettifyError(parsed.error));
  return parsed.data;
};

const sandboxFrom = (values: z.infer<typeof schema>): SandboxConfig => ({
  isolation: values.MILLRACE_ISOLATION,
  limits: {
    ...DEFAULT_LIMITS,
    cpuMs: values.MILLRACE_SCRIPT_CPU_SECONDS * 1_000,
    heapMb: values.MILLRACE_SCRIPT_HEAP_MB,
    rssBytes: values.MILLRACE_SCRIPT_RSS_MB * MIB,
  },
});

/** What is needed to look at the sandbox without a server. @throws RunnerConfigFault */
export const readSandboxConfig = (environment: Environment): SandboxConfig => {
  const values = parseEnvironment(environment);
  // The sandbox needs nothing of the file; whoever checks a machine wants to know what is wrong in it.
  settingsFrom(values.MILLRACE_RUNNER_CONFIG, environment);
  return sandboxFrom(values);
};

/** @throws RunnerConfigFault */
export const readRunnerConfig = (environment: Environment = process.env): RunnerConfig => {
  const values = parseEnvironment(environment);
  const { settings, commands } = settingsFrom(values.MILLRACE_RUNNER_CONFIG, environment);
  return {
    internalUrl: values.MILLRACE_INTERNAL_URL,
    token: values.MILLRACE_RUNNER_TOKEN ?? tokenFrom(values.MILLRACE_RUNNER_TOKEN_FILE),
    slots: values.MILLRACE_RUNNER_SLOTS,
    drainMs: values.MILLRACE_RUNNER_DRAIN_SECONDS * 1_000,
    spares: values.MILLRACE_RUNNER_SPARES,
    settings,
    commands,
    metricsListen: values.MILLRACE_RUNNER_METRICS_LISTEN,
    displayName: hereName(),
    ...sandboxFrom(values),
  };
};

const settingsFrom = (
  path: string | undefined,
  environment: Environment,
): Pick<RunnerConfig, "settings" | "commands"> => {
  if (path === undefined) return { settings: NO_SETTINGS, commands: [] };
  try {
    const settings = readSettings(path);
    return { settings, commands: prepareCommands(settings.commands, environment) };
  } catch (cause) {
    if (!(cause instanceof SettingsFault)) throw cause;
    throw new RunnerConfigFault(`MILLRACE_RUNNER_CONFIG: ${cause.message}`, { cause });
  }
};

const tokenFrom = (path: string | undefined): string => {
  if (path === undefined) {
    throw new RunnerConfigFault("MILLRACE_RUNNER_TOKEN or MILLRACE_RUNNER_TOKEN_FILE must be set");
  }
  try {
    const token = readFileSync(path, "utf8").trim();
    if (token !== "") return token;
  } catch (cause) {
    throw new RunnerConfigFault(`MILLRACE_RUNNER_TOKEN_FILE: ${path} cannot be read`, { cause });
  }
  throw new RunnerConfigFault(`MILLRACE_RUNNER_TOKEN_FILE: ${path} is empty`);
};
