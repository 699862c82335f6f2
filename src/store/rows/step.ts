import type { StepRow } from "../../jobs/job.ts";
import type { StepResult } from "../../jobs/report.ts";
import type { DatabaseRow } from "../engine.ts";
import { binding, textOf } from "./column.ts";

/** A step that is there already stays as it is. */
export const INSERT_MISSING_STEP = binding<StepRow>(
  "job_steps",
  "insert-missing",
  [
    ["organization_id", (step) => step.organizationId],
    ["job_id", (step) => step.jobId],
    ["name", (step) => step.name],
  ],
  [
    ["attempt", (step) => step.attempt],
    ["result", (step) => step.result],
    ["written_at", (step) => step.writtenAt],
  ],
);

export const stepOf = (row: DatabaseRow): StepResult => ({
  name: textOf(row, "name"),
  result: textOf(row, "result"),
});
