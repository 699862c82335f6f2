import type { JobRow } from "../../jobs/job.ts";
import { binding, type Column } from "./column.ts";

type Labelled = Pick<JobRow, "organizationId" | "id" | "labels">;

/** One label of one job. */
export type LabelRow = { readonly job: Labelled; readonly name: string; readonly value: string };

export const labelRows = (jobs: readonly Labelled[]): LabelRow[] =>
  jobs.flatMap((job) => Object.entries(job.labels).map(([name, value]) => ({ job, name, value })));

const KEY: readonly Column<LabelRow>[] = [
  ["organization_id", ({ job }) => job.organizationId],
  ["name", ({ name }) => name],
  ["value", ({ value }) => value],
  ["job_id", ({ job }) => job.id],
];

export const INSERT_LABEL = binding("job_labels", "insert", KEY, []);

export const DELETE_LABEL = binding("job_labels", "delete", KEY, []);
