import type { JobId, OrganizationId } from "../../jobs/ids.ts";
import type { OutputRow } from "../../jobs/job.ts";
import type { DatabaseRow } from "../engine.ts";
import { STREAMS } from "./codes.ts";
import { binding, numberOf, textOf } from "./column.ts";

export const INSERT_OUTPUT = binding<OutputRow>(
  "job_output",
  "insert",
  [
    ["organization_id", (output) => output.organizationId],
    ["job_id", (output) => output.jobId],
    ["seq", (output) => output.seq],
  ],
  [
    ["attempt", (output) => output.attempt],
    ["stream", (output) => STREAMS.numbers[output.stream]],
    ["text", (output) => output.text],
    ["written_at", (output) => output.writtenAt],
  ],
);

export const outputOf = (row: DatabaseRow): OutputRow => ({
  organizationId: textOf(row, "organization_id") as OrganizationId,
  jobId: textOf(row, "job_id") as JobId,
  seq: numberOf(row, "seq"),
  attempt: numberOf(row, "attempt"),
  stream: STREAMS.nameOf(numberOf(row, "stream")),
  text: textOf(row, "text"),
  writtenAt: numberOf(row, "written_at"),
});
