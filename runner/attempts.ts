import type { Span } from "@opentelemetry/api";

import type { Clock } from "../src/runtime/clock.ts";
import type { Log } from "../src/runtime/log.ts";
import {
  type Assignment,
  type AttemptRef,
  AttemptStopped,
  type Ending,
  type Executor,
  type Report,
  type StopReason,
  unmeasured,
} from "./executor.ts";
import { spannedChildren, type TracedChildren } from "./child-spans.ts";
import { failure } from "./failures.ts";
import { logFacts } from "./log-facts.ts";
import { createOutbox, type Outbox, type OutboxLimits } from "./outbox.ts";
import type { RunnerObserver } from "./observer.ts";
import { endAttemptSpan, inSpanOf, startAttemptSpan } from "./spans.ts";
import { spannedSteps } from "./step-spans.ts";
import { createSteps, type ReadSteps } from "./steps.ts";

/** One attempt from its assignment until the server has acknowledged its ending. */
export type Held = {
  readonly assignment: Assignment;
  readonly outbox: Outbox;
  /** The URL of the server that gave it out. */
  readonly home: string;
  readonly controller: AbortController;
  /** Of the attempt; what is reported belongs to it. */
  readonly span: Span;
};

/**
 * The attempts that this runner holds: those that run, and those whose ending is still to be
 * acknowledged. Only acknowledgement, a lost lease or giving up takes one out.
 */
export type Attempts = {
  /** Starts what is new; what is held already is left alone. */
  accept(assignments: readonly Assignment[], home: string): void;
  cancel(ref: AttemptRef): void;
  /** No longer ours: stop it, and never speak of it again. */
  lose(ref: AttemptRef): void;
  /** The server will not take its report: it ends as failed, so that the job shows why. */
  refuse(held: Held, why: string): void;
  holds(held: Held): boolean;
  /** The server knows its ending. */
  settle(held: Held): void;
  /** How many have not ended. */
  running(): number;
  refs(): readonly AttemptRef[];
  countByHome(urls: readonly string[]): ReadonlyMap<string, number>;
  /** Resolves when nothing is held. */
  empty(): Promise<void>;
  /** Forgets everything at once. */
  giveUp(): void;
};

export type AttemptsOptions = {
  readonly executors: ReadonlyMap<string, Executor>;
  /** Of the output, where the executor has none of its own. */
  readonly limits: OutboxLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly observer: RunnerObserver;
  readonly readSteps: ReadSteps;
  /** What an attempt does with jobs of its own, until the signal aborts. */
  readonly childrenOf: (ref: AttemptRef, home: string, signal: () => AbortSignal) => TracedChildren;
  /** There is something to report. */
  readonly news: (held: Held) => void;
};

export const createAttempts = (options: AttemptsOptions): Attempts => {
  const { executors, clock, log, news } = options;
  /** By lease token: it names one attempt and no other. */
  const all = new Map<string, Held>();
  let whenEmpty: (() => void)[] = [];
  let running = 0;

  const drop = (held: Held): void => {
    if (!all.delete(held.assignment.ref.leaseToken) || all.size > 0) return;
    const waiting = whenEmpty;
    whenEmpty = [];
    for (const resolve of waiting) resolve();
  };

  const execute = async (held: Held): Promise<Ending> => {
    const { assignment, outbox, controller, span } = held;
    const executor = executors.get(assignment.capability);
    if (executor === undefined) {
      const error = failure("runner.crashed", `this runner cannot do ${assignment.capability}`);
      return { kind: "failed", error, ...unmeasured };
    }
    const over: AbortController[] = [];
    let ended = false;
    // Made when it is asked for: it costs more than all the rest of a short attempt.
    const whileItRuns = (): AbortSignal => {
      if (ended) return AbortSignal.abort(new AttemptStopped("forgotten"));
      const end = new AbortController();
      over.push(end);
      return AbortSignal.any([controller.signal, end.signal]);
    };
    const report: Report = {
      children: spannedChildren(
        options.childrenOf(assignment.ref, held.home, whileItRuns),
        span,
        assignment.traceparent,
      ),
      output: (stream, text) => {
        outbox.output(stream, text);
        news(held);
      },
      progress: (progress) => {
        outbox.progress(progress);
        news(held);
      },
      steps: spannedSteps(
        createSteps(
          assignment.ref,
          options.readSteps,
          async (name, result) =>
            await new Promise((resolve, reject) => {
              outbox.step({ name, result }, (durable) => {
                if (durable) resolve();
                else reject(new AttemptStopped("forgotten"));
              });
              news(held);
            }),
        ),
        span,
      ),
    };
    try {
      return await inSpanOf(
        span,
        async () => await executor.execute(assignment, report, controller.signal),
      );
    } catch (cause) {
      const { ref, capability } = assignment;
      log.error({ err: cause, ...logFacts(ref), capability }, "an executor threw");
      const error = failure("runner.crashed", "the runner could not run this attempt");
      return { kind: "failed", error, ...unmeasured };
    } finally {
      ended = true;
      for (const end of over) end.abort(new AttemptStopped("forgotten"));
    }
  };

  const run = async (held: Held): Promise<void> => {
    const { assignment, outbox, span } = held;
    const started = clock.monotonic();
    running += 1;
    const ending = await execute(held);
    running -= 1;
    endAttemptSpan(span, ending);
    options.observer.attemptEnded({
      capability: assignment.capability,
      outcome: ending.kind,
      code: ending.kind === "failed" ? ending.error.code : "",
      runMs: clock.monotonic() - started,
      cpuMs: ending.cpuMs,
      peakMemoryBytes: ending.peakMemoryBytes,
    });
    outbox.end(ending);
    if (all.has(assignment.ref.leaseToken)) news(held);
  };

  const stop = (held: Held, why: StopReason): void => {
    if (!held.outbox.ended()) held.controller.abort(new AttemptStopped(why));
  };

  const lose = (held: Held): void => {
    drop(held);
    held.outbox.forget();
    stop(held, "forgotten");
  };

  return {
    accept: (assignments, home) => {
      for (const assignment of assignments) {
        if (all.has(assignment.ref.leaseToken)) continue;
        const held: Held = {
          assignment,
          home,
          outbox: createOutbox(
            executors.get(assignment.capability)?.outputLimits ?? options.limits,
          ),
          controller: new AbortController(),
          span: startAttemptSpan(assignment),
        };
        all.set(assignment.ref.leaseToken, held);
        void run(held);
      }
    },
    cancel: (ref) => {
      const held = all.get(ref.leaseToken);
      if (held !== undefined) stop(held, "cancelled");
    },
    lose: (ref) => {
      const held = all.get(ref.leaseToken);
      if (held !== undefined) lose(held);
    },
    refuse: (held, why) => {
      stop(held, "forgotten");
      const error = failure("report.refused", `the server refused a report: ${why}`);
      if (held.outbox.refused({ kind: "failed", error, ...unmeasured })) news(held);
      else lose(held);
    },
    holds: (held) => all.get(held.assignment.ref.leaseToken) === held,
    settle: drop,
    running: () => running,
    refs: () => [...all.values()].map(({ assignment }) => assignment.ref),
    countByHome: (urls) => {
      const counts = new Map(urls.map((url) => [url, 0]));
      for (const { home } of all.values()) {
        const count = counts.get(home);
        if (count !== undefined) counts.set(home, count + 1);
      }
      return counts;
    },
    empty: async () => {
      if (all.size === 0) return;
      await new Promise<void>((resolve) => whenEmpty.push(resolve));
    },
    giveUp: () => {
      for (const held of [...all.values()]) lose(held);
    },
  };
};
