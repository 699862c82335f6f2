/** What is removed with a job, or before it. */
import { type OutputRow, REMOVED, type RequestRow } from "../../jobs/job.ts";
import type { JobKey, RetiredJob } from "../store.ts";
import { type Binding, binding } from "./column.ts";

const ofJob = (table: string, id: string): Binding<JobKey> =>
  binding<JobKey>(
    table,
    "delete",
    [
      ["organization_id", (job) => job.organizationId],
      [id, (job) => job.id],
    ],
    [],
  );

export const DELETE_JOB = ofJob("jobs", "id");
export const DELETE_SPEC = ofJob("job_specs", "job_id");
export const DELETE_ATTEMPTS = ofJob("job_attempts", "job_id");
export const DELETE_OUTPUT = ofJob("job_output", "job_id");
export const DELETE_STEPS = ofJob("job_steps", "job_id");

/** Its revision stays: nobody is told of it. */
export const RETIRE_JOB = binding<RetiredJob>(
  "jobs",
  "update",
  [
    ["organization_id", (job) => job.organizationId],
    ["id", (job) => job.id],
  ],
  [["purge_at", () => REMOVED]],
);

export const DELETE_OUTPUT_ROW = binding<Pick<OutputRow, "organizationId" | "jobId" | "seq">>(
  "job_output",
  "delete",
  [
    ["organization_id", (row) => row.organizationId],
    ["job_id", (row) => row.jobId],
    ["seq", (row) => row.seq],
  ],
  [],
);

export const DELETE_REQUEST = binding<Pick<RequestRow, "organizationId" | "requestId">>(
  "job_requests",
  "delete",
  [
    ["organization_id", (request) => request.organizationId],
    ["request_id", (request) => request.requestId],
  ],
  [],
);
