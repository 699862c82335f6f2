import {
  type Assignment,
  AttemptStopped,
  type Ending,
  type Executor,
  type Progress,
  type Report,
  silentReport,
  type StopReason,
} from "../../../runner/executor.ts";
import { createOutbox, type Update } from "../../../runner/outbox.ts";
import { DEFAULT_LIMITS } from "../../../runner/sandbox/limits.ts";
import { ACME } from "../../support/commands.ts";
import type { Assigned } from "./subject.ts";

export type RunOptions = {
  readonly input?: unknown;
  readonly timeoutMs?: number;
  /** Is called with each row as it comes. */
  readonly onRow?: (text: string, stop: (why: StopReason) => void) => void;
  /** Asked for before the executor is called, or in the same turn. */
  readonly stopped?: "before" | "at once";
};

export type Ran = {
  readonly ending: Ending;
  /** `STDOUT text`, as the executor says them. */
  readonly rows: readonly string[];
  readonly progress: readonly Progress[];
  /** What goes to the server, behind the caps. */
  readonly sent: readonly Update[];
};

/** Everything that an executor reported after the end of an attempt. */
export type Late = string[];

/** One attempt, watched closely. @throws if the executor rejects */
export const runAttempt = async (
  executor: Executor,
  assigned: Assigned,
  late: Late,
  options: RunOptions = {},
): Promise<Ran> => {
  const controller = new AbortController();
  const stop = (why: StopReason): void => {
    controller.abort(new AttemptStopped(why));
  };
  const rows: string[] = [];
  const progress: Progress[] = [];
  const outbox = createOutbox(executor.outputLimits ?? DEFAULT_LIMITS);
  let over = false;
  const report: Report = {
    ...silentReport,
    output: (stream, text) => {
      if (over) late.push(`${stream} ${text}`);
      rows.push(`${stream} ${text}`);
      outbox.output(stream, text);
      options.onRow?.(text, stop);
    },
    progress: (next) => {
      if (over) late.push(`progress ${next.fraction}`);
      progress.push(next);
      outbox.progress(next);
    },
  };
  const assignment: Assignment = {
    ref: { organizationId: ACME, jobId: "job", attempt: 1, leaseToken: "lease" },
    ...assigned,
    input: JSON.stringify(options.input ?? {}),
    attemptTimeoutMs: options.timeoutMs ?? 20_000,
    type: "work",
    typeVersion: 1,
    creatorId: "ada",
    runAs: "ada",
    labels: {},
    traceparent: "",
    jobToken: "",
  };
  if (options.stopped === "before") stop("cancelled");
  const running = executor.execute(assignment, report, controller.signal);
  if (options.stopped === "at once") stop("cancelled");
  const ending = await running;
  over = true;
  // Whoever asks too late changes nothing.
  stop("cancelled");
  outbox.end(ending);
  return { ending, rows, progress, sent: drain(outbox) };
};

const drain = (outbox: ReturnType<typeof createOutbox>): readonly Update[] => {
  const updates: Update[] = [];
  for (let next = outbox.next(); next !== null; next = outbox.next()) {
    updates.push(next);
    outbox.acknowledged();
  }
  return updates;
};

/** The code of a failure, or how else it ended. */
export const codeOf = ({ ending }: Ran): string =>
  ending.kind === "failed" ? ending.error.code : ending.kind;
