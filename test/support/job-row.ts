import { SCRIPT, type JobId, type OrganizationId, type ScriptHash } from "../../src/jobs/ids.ts";
import { SERVER } from "../../src/jobs/audit.ts";
import { freshJob } from "../../src/jobs/fresh-job.ts";
import type { JobRow, SpecRow } from "../../src/jobs/job.ts";
import { DEFAULT_RETRY_POLICY } from "../../src/jobs/retry.ts";
import type { Submission } from "../../src/jobs/submission.ts";

let count = 0;

/** A UUIDv7 that no other call gives. */
export const aJobId = (): JobId => {
  count += 1;
  return `01890000-0000-7000-8000-${count.toString(16).padStart(12, "0")}` as JobId;
};

/** A fresh script job of `acme`, with only the facts that matter said. */
export const aJobRow = (facts: Partial<JobRow> = {}): JobRow => ({
  ...freshJob({
    organizationId: "acme" as OrganizationId,
    id: aJobId(),
    name: "",
    type: "",
    typeVersion: 0,
    capability: SCRIPT,
    priority: 0,
    labels: {},
    creatorId: "",
    runAs: "",
    concurrencyKey: "",
    concurrencyPolicy: "QUEUE",
    attemptTimeoutMs: 30_000,
    deadlineAt: null,
    retryPolicy: DEFAULT_RETRY_POLICY,
    workflowId: "",
    stepName: "",
    parentId: "",
    depth: 0,
    hookChain: [],
    callbackUrl: "",
    scheduleId: "",
    createdAt: 0,
    runAt: 0,
  }),
  ...facts,
});

export const aSpecRow = ({ organizationId, id }: JobRow): SpecRow => ({
  organizationId,
  id,
  input: "null",
  scriptHash: "0".repeat(64) as ScriptHash,
  bindings: "",
  traceparent: "",
  requestId: "",
});

export const aSubmission = (facts: Partial<JobRow> = {}): Submission => {
  const job = aJobRow(facts);
  return {
    idIsChosen: false,
    job,
    spec: aSpecRow(job),
    script: null,
    request: null,
    deferred: false,
    refusal: null,
    by: SERVER,
  };
};
