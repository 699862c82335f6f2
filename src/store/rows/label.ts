import type { JobRow } from "../../jobs/job.ts";
import { binding } from "./column.ts";

/** One label of one job. */
export type LabelRow = { readonly job: JobRow; readonly name: string; readonly value: string };

export const labelRows = (jobs: readonly JobRow[]): LabelRow[] =>
  jobs.flatMap((job) => Object.entries(job.labels).map(([name, value]) => ({ job, name, value })));

export const INSERT_LABEL = binding<LabelRow>(
  "job_labels",
  "insert",
  [
    ["organization_id", ({ job }) => job.organizationId],
    ["name", ({ name }) => name],
    ["value", ({ value }) => value],
    ["job_id", ({ job }) => job.id],
  ],
  [],
);
