import { format } from "node:util";

import { type Clock, sleep } from "../../src/runtime/clock.ts";
import { type Assignment, AttemptStopped, ChildFault, type Report } from "../executor.ts";
import { nextProgress, NO_PROGRESS } from "../guest/fraction.ts";
import { type HandlerContext, JobError, type Json } from "../handler.ts";
import { StepRefused } from "../steps.ts";
import { jsonOf } from "../json-result.ts";

type Parts = {
  readonly assignment: Pick<Assignment, "jobToken">;
  readonly report: Report;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The attempt has ended: nothing is reported any more. */
  readonly over: () => boolean;
};

/** The `ctx` of a handler: what runner/handler.ts promises. */
export const createHandlerContext = (parts: Parts): HandlerContext => {
  const { assignment, report, clock, signal, over } = parts;
  let progress = NO_PROGRESS;

  const rows = (stream: "STDOUT" | "LOG", text: string): void => {
    if (over()) return;
    for (const row of text.split("\n")) report.output(stream, row);
  };

  return {
    signal,
    jobToken: assignment.jobToken,
    progress: (given) => {
      progress = nextProgress(progress, given);
      if (over()) return;
      const { fraction, message, step, steps } = progress;
      report.progress({ fraction, message, currentStep: step, totalSteps: steps });
    },
    output: (text) => {
      rows("STDOUT", text);
    },
    log: (...values) => {
      rows("LOG", format(...values));
    },
    step: createStep(parts),
    ...createChildren(parts),
    sleep: async (ms) => {
      await sleep(clock, ms, signal);
    },
  };
};

/** Why nothing can be done any more. */
const ending = ({ signal }: Parts): Error =>
  signal.aborted
    ? (signal.reason as Error)
    : new DOMException("the attempt has ended", "AbortError");

const createChildren = (parts: Parts): Pick<HandlerContext, "submit" | "waitFor"> => {
  const { report, over } = parts;

  const asked = async <T>(ask: () => Promise<T>): Promise<T> => {
    if (over()) throw ending(parts);
    try {
      return await ask();
    } catch (cause) {
      if (cause instanceof AttemptStopped) throw ending(parts);
      if (!(cause instanceof ChildFault)) throw cause;
      const { code, message, retryable } = cause;
      throw new JobError(code, message, { retryable, cause });
    }
  };

  return {
    submit: async (name, job) =>
      await asked(async () => await report.children.submit(name, JSON.stringify(job))),
    waitFor: async <Result extends Json = Json>(jobId: string) =>
      JSON.parse(await asked(async () => await report.children.wait(jobId))) as Result,
  };
};

const createStep = (parts: Parts): HandlerContext["step"] => {
  const { report, over } = parts;
  const names = new Set<string>();

  const memoised = async (name: string, run: () => unknown): Promise<unknown> => {
    const found = await report.steps.find(name);
    if (found !== undefined) return JSON.parse(found);
    const result = jsonOf(await run());
    if (result.kind === "refused") {
      const { code, message } = result.error;
      throw new JobError(code, `step "${name}": ${message}`, { retryable: false });
    }
    if (over()) throw ending(parts);
    await report.steps.finish(name, result.text);
    // As another attempt will see it.
    return JSON.parse(result.text);
  };

  return async <Result extends Json | void>(
    name: string,
    run: () => Result | Promise<Result>,
  ): Promise<Result> => {
    if (over()) throw ending(parts);
    if (names.has(name)) throw refused(`the step "${name}" has begun before: names are unique`);
    names.add(name);
    try {
      return (await memoised(name, run)) as Result;
    } catch (cause) {
      // It may be tried again: it has not ended.
      names.delete(name);
      if (cause instanceof StepRefused) throw refused(cause.message);
      if (cause instanceof AttemptStopped) throw ending(parts);
      throw cause;
    }
  };
};

const refused = (message: string): JobError =>
  new JobError("quota.steps", message, { retryable: false });
