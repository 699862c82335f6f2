import type { JobId, OrganizationId } from "../../jobs/ids.ts";
import type { RequestRow } from "../../jobs/job.ts";
import type { DatabaseRow } from "../engine.ts";
import { binding, numberOf, textOf } from "./column.ts";

export const INSERT_REQUEST = binding<RequestRow>(
  "job_requests",
  "insert",
  [
    ["organization_id", (request) => request.organizationId],
    ["request_id", (request) => request.requestId],
  ],
  [
    ["job_id", (request) => request.jobId],
    ["fingerprint", (request) => request.fingerprint],
    ["created_at", (request) => request.createdAt],
  ],
);

export const requestOf = (row: DatabaseRow): RequestRow => ({
  organizationId: textOf(row, "organization_id") as OrganizationId,
  requestId: textOf(row, "request_id"),
  jobId: textOf(row, "job_id") as JobId,
  fingerprint: textOf(row, "fingerprint"),
  createdAt: numberOf(row, "created_at"),
});
