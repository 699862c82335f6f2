import type { Command } from "../../runner/commands/prepare.ts";
import type { HandlerOptions } from "../../runner/executors/handler-attempt.ts";
import { handlerExecutors } from "../../runner/executors/handlers.ts";
import type { Handler } from "../../runner/handler.ts";
import { composeRunner } from "../../runner/main.ts";
import { DEFAULT_LIMITS } from "../../runner/sandbox/limits.ts";
import { NO_SETTINGS, type RunnerSettings } from "../../runner/settings.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import type { Service } from "../../src/runtime/lifecycle.ts";
import { silentLog } from "../../src/runtime/log.ts";
import type { RunnerServer } from "./runner-server.ts";

export type TestRunnerOptions = {
  readonly handlers?: Readonly<Record<string, Handler>>;
  readonly scripts?: boolean;
  readonly slots?: number;
  readonly drainMs?: number;
  readonly token?: string;
  readonly internalUrl?: string;
  readonly commands?: readonly Command[];
  readonly settings?: RunnerSettings;
};

export const HANDLER_OPTIONS: HandlerOptions = {
  clock: systemClock,
  log: silentLog,
  graceMs: 5_000,
  ended: () => {},
};

/** A runner for `server`; with handlers only, unless scripts are asked for. Not started. */
export const runnerFor = (
  server: Pick<RunnerServer, "url" | "token">,
  options: TestRunnerOptions = {},
): Service =>
  composeRunner({
    config: {
      internalUrl: options.internalUrl ?? server.url(),
      token: options.token ?? server.token,
      slots: options.slots ?? 4,
      drainMs: options.drainMs ?? 5_000,
      spares: 0,
      limits: DEFAULT_LIMITS,
      isolation: "tenant",
      settings: options.settings ?? NO_SETTINGS,
      commands: options.commands ?? [],
      metricsListen: null,
      displayName: "test",
    },
    scripts: options.scripts ?? false,
    executors: handlerExecutors(options.handlers ?? {}, HANDLER_OPTIONS),
  });

/** A promise with its handle outside: the gate that a test opens. */
export type Gate<T = void> = { readonly opened: Promise<T>; open(value: T): void };

export const gate = <T = void>(): Gate<T> => {
  const { promise, resolve } = Promise.withResolvers<T>();
  return { opened: promise, open: resolve };
};
