import { tmpdir } from "node:os";

import type { Clock } from "../src/runtime/clock.ts";
import type { Service } from "../src/runtime/lifecycle.ts";
import type { Log } from "../src/runtime/log.ts";
import { AttemptStopped, type Ending, type Report, unmeasured } from "./executor.ts";
import { failure } from "./failures.ts";
import { logFacts } from "./log-facts.ts";
import type { RunnerObserver } from "./observer.ts";
import { createBirth } from "./sandbox/birth.ts";
import { canariesFor } from "./sandbox/canaries.ts";
import { type ChildProcessEnd, spawnChild } from "./sandbox/child-process.ts";
import type { Isolation } from "./sandbox/choose.ts";
import { claimFolder, type Folder, removeLeftovers } from "./sandbox/folder.ts";
import { readGuest } from "./sandbox/guest-bundle.ts";
import { childCommand } from "./sandbox/launch.ts";
import { type LayerName, LAYERS, type Layers, probeLayers } from "./sandbox/layers.ts";
import type { SandboxLimits } from "./sandbox/limits.ts";
import { CANCELLED, type ScriptTask } from "./sandbox/outcome.ts";
import { createPool, type Pool, type PoolMember, SandboxUnavailable } from "./sandbox/pool.ts";
import type { ReadUsage } from "./sandbox/proc.ts";
import { createHome, type Home, type Program, readProgram } from "./sandbox/program.ts";
import { type Attempt, type Proof, prove } from "./sandbox/prove.ts";
import { createQuarantine } from "./sandbox/quarantine.ts";
import { runInChild } from "./sandbox/run.ts";
import { LONGEST_AGE_MS, SLOWEST_CLEAN_UP_MS } from "./sandbox/wear.ts";
import { createWatch } from "./sandbox/watch.ts";

export type SupervisorOptions = {
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: SandboxLimits;
  readonly isolation: Isolation;
  /** Scripts at once. */
  readonly slots: number;
  /** How many attempts wait for jobs of their own, and leave their slots meanwhile; 0, if absent. */
  readonly resting?: () => number;
  /** Fresh children kept ready for an organization that comes new. */
  readonly spares: number;
  /** Whether `start` first proves by canaries that the sandbox holds. */
  readonly canary: boolean;
  readonly readUsage: ReadUsage;
  readonly observer: RunnerObserver;
};

/**
 * Runs scripts in sandbox children and ends them on time, whatever they do. It holds the pool and
 * nothing that should survive.
 */
export type Supervisor = Service & {
  /** Resolves exactly once, never rejects. */
  run(task: ScriptTask, report: Report, signal: AbortSignal): Promise<Ending>;
  /** The sandbox children of this moment. */
  children(): readonly PoolMember[];
  /** Which layers are active. Of a supervisor that has been started. */
  layers(): Pick<Layers, "active" | "missing">;
  /** Runs every canary. It takes seconds, and slots. */
  check(): Promise<readonly Proof[]>;
};

/** The codes of failures with which a child ends, too. */
const KILLED: ReadonlySet<string> = new Set([
  "timeout.wall",
  "timeout.cpu",
  "memory",
  "runner.crashed",
]);

export const createSupervisor = (options: SupervisorOptions): Supervisor => {
  const { clock, log, limits, readUsage, observer } = options;
  const quarantine = createQuarantine(clock);
  const watch = createWatch(clock, readUsage, limits.sampleMs);
  let pool: Pool | null = null;
  let layers: Layers | null = null;
  let folder: Folder | null = null;
  let lastId = 0;

  const around = (bounds: SandboxLimits, task: ScriptTask) => ({
    clock,
    watch,
    limits: bounds,
    reuse: options.isolation !== "process",
    odd: (facts: object) => {
      // What ends because all of them end has done nothing.
      if (pool === null) return;
      const all = { ...logFacts(task), ...facts };
      log.warn(all, "a sandbox child was ended because of what it did");
    },
    failedCall: (cause: unknown) => {
      log.error({ err: cause, ...logFacts(task) }, "a host call failed");
    },
  });

  const attempt = async (
    task: ScriptTask,
    report: Report,
    signal: AbortSignal,
    bounds: SandboxLimits,
    lent: (child: ChildProcessEnd) => void = () => {},
  ): Promise<Ending> => {
    if (pool === null) throw new SandboxUnavailable("the sandbox has not been started");
    const home = pool;
    const child = await home.take(task.organizationId, signal);
    lent(child);
    lastId += 1;
    const give = (fit: boolean, ms: number): void => {
      home.give(child, fit, ms);
    };
    try {
      return await runInChild(child, lastId, task, report, signal, around(bounds, task), give);
    } catch (cause) {
      // It has not begun.
      give(false, 0);
      throw cause;
    }
  };

  const start = async (): Promise<void> => {
    const [bootstrap, [home, found]] = await Promise.all([readGuest(), prepare(), tidyUp()]);
    layers = found;
    const command = childCommand(found, home);
    const spawn = (): ChildProcessEnd => {
      home.restore();
      const child = spawnChild(command, home.directory);
      observer.childStarted();
      return child;
    };
    pool = createPool({
      clock,
      log,
      spawn: createBirth(spawn, { heapMb: limits.heapMb, bootstrap }),
      isolation: options.isolation,
      slots: options.slots,
      resting: options.resting ?? (() => 0),
      spares: options.spares,
      wear: {
        attempts: limits.recycleAfter,
        ageMs: LONGEST_AGE_MS,
        growthBytes: limits.rssBytes / 4,
        cleanUpMs: SLOWEST_CLEAN_UP_MS,
      },
      readUsage,
      worn: observer.childWorn,
    });
    await pool.start();
    if (options.canary) await refuseUnlessContained(found.active);
    const { isolation } = options;
    const { active, missing } = found;
    log.info({ isolation, layers: active, missing }, "the sandbox is ready");
    if (isolation === "shared") {
      log.warn({}, "MILLRACE_ISOLATION=shared: organizations share sandbox processes");
    }
    if (missing.includes("outside-watch")) {
      log.warn({}, "CPU and memory of scripts are not limited here, only their time: not Linux");
    }
  };

  const prepare = async (): Promise<readonly [Home, Layers]> => {
    const home = await makeHome(await readProgram());
    return [home, await probeLayers(home)];
  };

  const makeHome = async (program: Program): Promise<Home> => {
    try {
      folder = await claimFolder(tmpdir());
      return createHome(folder.path, program);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new SandboxUnavailable(`no folder can be made in ${tmpdir()}: ${why}`, { cause });
    }
  };

  const tidyUp = async (): Promise<void> => {
    try {
      const removed = await removeLeftovers(tmpdir());
      if (removed.length > 0) log.info({ removed }, "folders of killed runners were removed");
    } catch (cause) {
      log.warn({ err: cause }, "folders of killed runners could not be removed");
    }
  };

  const tryCanary: Attempt = async (task, report, bounds) => {
    let gone: Promise<unknown> = Promise.resolve();
    const never = new AbortController().signal;
    const ending = await attempt(task, report, never, bounds, (child) => {
      gone = child.exited;
    });
    return { ending, gone };
  };

  /** @throws SandboxUnavailable if a canary does not end as it should */
  const refuseUnlessContained = async (active: readonly LayerName[]): Promise<void> => {
    const proofs = await prove(
      canariesFor("start", active),
      tryCanary,
      limits,
      clock,
      options.slots,
    );
    for (const { contained } of proofs) observer.canaryEnded(contained);
    const escaped = proofs.filter(({ contained }) => !contained);
    if (escaped.length === 0) return;
    const told = escaped.map(
      ({ tries, wanted, got }) => `of a script that tries to ${tries}: ${got} instead of ${wanted}`,
    );
    throw new SandboxUnavailable(`the sandbox does not hold. The end ${told.join("; ")}`);
  };

  const stop = async (): Promise<void> => {
    const ending = pool;
    pool = null;
    await ending?.stop();
    await folder?.remove();
    folder = null;
  };

  return {
    start: async () => {
      try {
        await start();
      } catch (cause) {
        await stop();
        throw cause;
      }
    },
    stop,
    children: () => pool?.members() ?? [],
    layers: () => layers ?? { active: [], missing: LAYERS },
    check: async () =>
      await prove(
        canariesFor("all", layers?.active ?? []),
        tryCanary,
        limits,
        clock,
        options.slots,
      ),
    run: async (task, report, signal) => {
      const leave = quarantine.ask(task.organizationId, task.scriptHash);
      if (leave.kind === "refused") {
        observer.quarantined();
        const error = failure("script.quarantined", leave.why);
        return { kind: "failed", error, ...unmeasured };
      }
      try {
        const ending = await attempt(task, report, signal, limits);
        leave.ended(ending);
        if (ending.kind === "failed" && KILLED.has(ending.error.code)) {
          observer.childKilled(ending.error.code);
        }
        return ending;
      } catch (cause) {
        leave.ended(null);
        if (cause instanceof AttemptStopped) return { ...CANCELLED, ...unmeasured };
        const facts = { err: cause, ...logFacts(task) };
        log.error(facts, "a script could not be given to the sandbox");
        const error = failure(
          "runner.crashed",
          "this runner could not start a process for the script; its log says why",
        );
        return { kind: "failed", error, ...unmeasured };
      }
    },
  };
};
