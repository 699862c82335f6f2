import type { Clock } from "../../src/runtime/clock.ts";
import { AttemptStopped, type Ending, type Report } from "../executor.ts";
import { failure } from "../failures.ts";
import { createOpenCalls } from "./calls.ts";
import type { ChildProcessEnd, Exit } from "./child-process.ts";
import { BROKE_RULES, explain, explainExit, explainHeap } from "./explain.ts";
import type { SandboxLimits } from "./limits.ts";
import {
  accept,
  CANCELLED,
  failed,
  guestAttempt,
  mostRows,
  type Outcome,
  type ScriptTask,
} from "./outcome.ts";
import type { FromChild } from "./protocol.ts";
import type { Guard, Violation, Watch } from "./watch.ts";

export type Surroundings = {
  readonly clock: Clock;
  readonly watch: Watch;
  readonly limits: SandboxLimits;
  /** False: a child serves one attempt, and is ended with it instead of making the next isolate. */
  readonly reuse: boolean;
  /** What was odd, for our own log. */
  readonly odd: (facts: {
    readonly pid: number;
    readonly why: string;
    readonly lastWords: string;
  }) => void;
  /** A host call did not work, through no fault of the script. */
  readonly failedCall: (cause: unknown) => void;
};

/** A child that has said its end has so long to make the next isolate. */
const CLEAN_UP = { wallMs: 2_000, cpuMs: 2_000 } as const;

/** No honest attempt sends so many: the guest's own credits are far below. */
const MOST_FRAMES = { atOnce: 10_000, perMs: 0.1 } as const;

/** The signal aborts at this part of the attempt's time. */
const WARN_AT = 0.9;

/**
 * One attempt in one child, as the supervisor sees it. The child is taken for hostile: whatever it
 * does, the ending resolves exactly once, and `left` is called exactly once after it, with whether
 * the child may be used again, and how long it took to tidy up.
 *
 * States: running → (cancelling →) ended → left.
 */
export const runInChild = async (
  child: ChildProcessEnd,
  id: number,
  task: ScriptTask,
  report: Report,
  signal: AbortSignal,
  around: Surroundings,
  left: (fit: boolean, cleanUpMs: number) => void,
): Promise<Ending> =>
  await new Promise((resolve) => {
    const { limits } = around;
    let state: "running" | "cancelling" | "ended" | "left" = "running";
    let frames = 0;
    let rows = 0;
    let endedAt = 0;
    let cancelGrace = (): void => {};
    const started = around.clock.monotonic();
    const age = (): number => around.clock.monotonic() - started;

    const settle = (ending: Ending): void => {
      if (state === "ended" || state === "left") return;
      state = "ended";
      endedAt = age();
      cancelGrace();
      calls.stop();
      signal.removeEventListener("abort", stop);
      resolve(ending);
    };

    const leave = (fit: boolean): void => {
      if (state === "left") return;
      state = "left";
      guard.release();
      child.listen({ heard: () => {}, exited: () => {} });
      if (!fit) child.kill();
      left(fit, age() - endedAt);
    };

    const end = (outcome: Outcome, claimedMs?: number): void => {
      settle({ ...(state === "cancelling" ? CANCELLED : outcome), ...guard.usage(claimedMs) });
    };

    /** Ends the attempt and the child with it. */
    const kill = (outcome: Outcome): void => {
      end(outcome);
      leave(false);
    };

    const odd = (why: string, message = BROKE_RULES, lastWords = ""): void => {
      around.odd({ pid: child.pid, why, lastWords });
      kill(failed(failure("runner.crashed", message)));
    };

    const violated = (what: Violation): void => {
      if (state === "ended") odd(`did not come to rest: ${what}`);
      else kill(failed(failure(what, explain(what, guard.usage(), task, limits))));
    };

    const stop = (): void => {
      const why = signal.reason instanceof AttemptStopped ? signal.reason.why : "forgotten";
      if (why === "forgotten") {
        kill(CANCELLED);
        return;
      }
      state = "cancelling";
      child.send({ op: "cancel", id });
      cancelGrace = around.clock.after(limits.graceMs, () => {
        kill(CANCELLED);
      });
    };

    const rest = (fit: boolean): void => {
      if (!fit || !around.reuse) leave(false);
      else guard.rebound({ ...CLEAN_UP, rssBytes: limits.rssBytes });
    };

    const heard = (frame: FromChild): void => {
      frames += 1;
      if (frames > MOST_FRAMES.atOnce && frames > MOST_FRAMES.atOnce + age() * MOST_FRAMES.perMs) {
        odd("sent too many frames");
        return;
      }
      if (frame.op === "ready") {
        if (state === "ended") leave(true);
        else odd("was ready before it was done");
        return;
      }
      if (frame.op === "cache") {
        odd("sent a code cache");
        return;
      }
      if (frame.id !== id || state === "ended") {
        odd(`sent ${frame.op} for ${frame.id} while ${id} was ${state}`);
        return;
      }
      switch (frame.op) {
        case "output":
          rows += 1;
          if (rows > mostRows(limits) || frame.text.length > limits.lineBytes) {
            odd("sent more output than a script can");
            return;
          }
          report.output(frame.stream, frame.text);
          return;
        case "progress":
          report.progress({
            fraction: frame.fraction,
            message: frame.message,
            currentStep: frame.step,
            totalSteps: frame.steps,
          });
          return;
        case "call":
          if (!calls.take(frame)) odd("made too many calls, or too large ones");
          return;
        case "succeeded":
          end(accept(frame.result, limits), frame.cpuUs / 1_000);
          rest(true);
          return;
        case "failed":
          if (frame.code === "memory") {
            end(failed(failure("memory", explainHeap(limits))), frame.cpuUs / 1_000);
            // Whoever was at the heap's limit has left traces in the process.
            rest(false);
            return;
          }
          end(
            failed(failure(frame.code, frame.message, frame.stack, frame.retryable)),
            frame.cpuUs / 1_000,
          );
          rest(true);
          return;
      }
    };

    const exited = ({ how, lastWords, broken }: Exit): void => {
      odd(`ended: ${how}`, broken ? BROKE_RULES : explainExit(how), lastWords);
    };

    const calls = createOpenCalls(
      task.calls,
      (reply, taken) => {
        child.send({ op: "reply", id, ...reply }, taken);
      },
      (cause) => {
        around.failedCall(cause);
      },
    );
    const guard: Guard = around.watch.guard(
      child.pid,
      { wallMs: task.timeoutMs, cpuMs: limits.cpuMs, rssBytes: limits.rssBytes },
      violated,
    );
    child.listen({ heard, exited });
    child.send({
      op: "run",
      id,
      code: task.code,
      fileName: task.fileName,
      input: task.input,
      attempt: guestAttempt(task, limits),
      warnAfterMs: task.timeoutMs * WARN_AT,
    });
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
  });
