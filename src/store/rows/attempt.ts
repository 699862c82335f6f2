import type { JobId, OrganizationId, RunnerId } from "../../jobs/ids.ts";
import type { AttemptRow } from "../../jobs/job.ts";
import type { DatabaseRow } from "../engine.ts";
import { OUTCOMES } from "./codes.ts";
import { binding, numberOf, textOf, textOrNull } from "./column.ts";
import { errorOf, textOfError } from "./error-text.ts";

export const INSERT_ATTEMPT = binding<AttemptRow>(
  "job_attempts",
  "insert",
  [
    ["organization_id", (attempt) => attempt.organizationId],
    ["job_id", (attempt) => attempt.jobId],
    ["attempt", (attempt) => attempt.attempt],
  ],
  [
    ["runner_id", (attempt) => attempt.runnerId],
    ["started_at", (attempt) => attempt.startedAt],
    ["ended_at", (attempt) => attempt.endedAt],
    ["outcome", (attempt) => OUTCOMES.numbers[attempt.outcome]],
    ["result", (attempt) => attempt.result],
    ["error", (attempt) => textOfError(attempt.error)],
    ["cpu_ms", (attempt) => attempt.cpuMs],
    ["peak_memory_bytes", (attempt) => attempt.peakMemoryBytes],
  ],
);

export const attemptOf = (row: DatabaseRow): AttemptRow => ({
  organizationId: textOf(row, "organization_id") as OrganizationId,
  jobId: textOf(row, "job_id") as JobId,
  attempt: numberOf(row, "attempt"),
  runnerId: textOf(row, "runner_id") as RunnerId,
  startedAt: numberOf(row, "started_at"),
  endedAt: numberOf(row, "ended_at"),
  outcome: OUTCOMES.nameOf(numberOf(row, "outcome")),
  result: textOrNull(row, "result"),
  error: errorOf(textOrNull(row, "error")),
  cpuMs: numberOf(row, "cpu_ms"),
  peakMemoryBytes: numberOf(row, "peak_memory_bytes"),
});
