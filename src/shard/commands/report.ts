import { end } from "../../jobs/attempt-end.ts";
import { JobFault } from "../../jobs/errors.ts";
import type { JobRow } from "../../jobs/job.ts";
import { advance } from "../../jobs/progress.ts";
import type { AttemptRef, AttemptReport } from "../../jobs/report.ts";
import type { Patch } from "../../jobs/transitions.ts";
import type { ActiveJob } from "../active-job.ts";
import type { ReportOutcome } from "../owner.ts";
import type { Turn } from "../turn.ts";
import type { Command } from "./command.ts";

/** Takes in what runners say of their attempts; each report is applied or refused on its own. */
export const report = (reports: readonly AttemptReport[]): Command<ReportOutcome[]> => ({
  weight: reports.reduce((rows, { output, steps }) => rows + 1 + output.length + steps.length, 0),
  bytes: reports.reduce((sum, one) => sum + bytesOf(one), 0),
  want: (state, wanted) => {
    for (const { ref } of reports) {
      if (state.find(ref.organizationId, ref.jobId) !== undefined) continue;
      wanted.jobs.push({ organizationId: ref.organizationId, id: ref.jobId });
    }
  },
  apply: (turn) => reports.map((one) => reportOne(turn, one)),
});

const REPORT_BYTES = 200;

export const bytesOf = ({
  output,
  steps,
  ending,
}: Pick<AttemptReport, "output" | "steps" | "ending">): number =>
  output.reduce((sum, { text }) => sum + text.length, REPORT_BYTES) +
  steps.reduce((sum, { result }) => sum + result.length, 0) +
  (ending?.kind === "succeeded" ? ending.result.length : 0);

/** True while the row still shows this attempt and nobody else has got the job since. */
export const isAttemptOf = (row: JobRow, ref: AttemptRef): boolean =>
  row.attempt === ref.attempt && row.leaseToken === ref.leaseToken && ref.leaseToken !== "";

const reportOne = (turn: Turn, one: AttemptReport): ReportOutcome => {
  const { organizationId, jobId } = one.ref;
  const row = turn.row(organizationId, jobId);
  if (row === null || !isAttemptOf(row, one.ref)) return leaseLost(one.ref);
  if (one.seq <= row.reportSeq) return { cancelRequested: isToStop(row) };
  const job = turn.state.find(organizationId, jobId);
  if (job === undefined || row.state !== "RUNNING") return leaseLost(one.ref);

  turn.change(job, { reportSeq: one.seq, ...noted(turn, job, one) });
  for (const { name, result } of one.steps) {
    const { attempt } = one.ref;
    turn.addStep({ organizationId, jobId, name, attempt, result, writtenAt: turn.now });
  }
  if (one.ending !== null) {
    const { patch, attempt } = end(job.row, one.ending, turn.now, turn.random());
    turn.change(job, patch);
    turn.attempts.push(attempt);
  }
  return { cancelRequested: isToStop(job.row) };
};

/** Writes the output of a report; answers with what it and the progress change. */
export const noted = (
  turn: Turn,
  job: ActiveJob,
  one: Pick<AttemptReport, "progress" | "output">,
): Patch => {
  const { row } = job;
  let seq = row.outputCount;
  for (const { stream, text } of one.output) {
    turn.output.push({
      organizationId: row.organizationId,
      jobId: row.id,
      seq,
      attempt: row.attempt,
      stream,
      text,
      writtenAt: turn.now,
    });
    seq += 1;
  }
  return {
    outputCount: seq,
    ...(one.progress && { progress: advance(row.progress, one.progress) }),
  };
};

/** A cancellation waits to be carried out by whoever does the work. */
export const isToStop = (row: JobRow): boolean =>
  row.state === "RUNNING" && row.cancelRequestedAt !== null;

export const leaseLost = (ref: AttemptRef): JobFault =>
  new JobFault("LEASE_LOST", "This attempt is no longer yours. Stop it and forget it.", {
    metadata: { job_id: ref.jobId, attempt: String(ref.attempt) },
  });
