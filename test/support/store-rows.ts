/** Rows for the tests of the store. */
import { createHash } from "node:crypto";

import type {
  Capability,
  HookId,
  LeaseToken,
  OrganizationId,
  RunnerId,
  ScriptHash,
  UserId,
  WorkflowId,
} from "../../src/jobs/ids.ts";
import type {
  AttemptRow,
  JobRow,
  OutputRow,
  RequestRow,
  ScriptRow,
  StepRow,
} from "../../src/jobs/job.ts";
import type { JobFilter, Place } from "../../src/store/store.ts";
import { aJobId, aJobRow } from "./job-row.ts";

export const ACME = "acme" as OrganizationId;
export const GLOBEX = "globex" as OrganizationId;

export const placeOf = ({
  organizationId,
}: {
  readonly organizationId: OrganizationId;
}): Place => ({
  shardId: 0,
  organizationId,
});

export const ANY: JobFilter = {
  states: [],
  type: null,
  labels: {},
  creatorId: null,
  createdAfter: null,
  createdBefore: null,
  workflowId: null,
  visibleTo: null,
};

/** A job of which no field has the value that it has in a fresh one. */
export const aFullJobRow = (): JobRow => ({
  ...aJobRow(),
  state: "FAILED",
  name: "send invoices",
  type: "invoice.send",
  typeVersion: 3,
  capability: "handler:invoice.send" as Capability,
  priority: -7,
  labels: { region: "eu", customer: "ünïcode 🚚" },
  creatorId: "creator" as UserId,
  runAs: "operator" as UserId,
  concurrencyKey: "invoices/7",
  concurrencyPolicy: "REJECT",
  attemptTimeoutMs: 12_345,
  deadlineAt: 1_800_000_000_001,
  retryPolicy: {
    maxRetries: 7,
    initialBackoffMs: 250,
    maxBackoffMs: 9_000,
    multiplier: 1.7,
    jitter: 0.35,
  },
  workflowId: aJobId() as string as WorkflowId,
  stepName: "third",
  parentId: aJobId(),
  depth: 2,
  hookChain: [aJobId() as string as HookId, aJobId() as string as HookId],
  callbackUrl: "https://example.org/ünïcode?a=1",
  blockedBy: "second",
  unreleased: true,
  childCount: 3,
  callbackState: "DELIVERED",
  scheduleId: "nightly",
  createdAt: 1_800_000_000_002,
  runAt: 1_800_000_000_003,
  queuedAt: 1_800_000_000_004,
  updatedAt: 1_800_000_000_005,
  startedAt: 1_800_000_000_006,
  endedAt: 1_800_000_000_007,
  purgeAt: 1_900_000_000_000,
  attempt: 2,
  retryCount: 1,
  lostCount: 4,
  runnerId: "runner" as RunnerId,
  leaseToken: "lease" as LeaseToken,
  reportSeq: 12,
  updateSeq: 4,
  tokenRevokedAttempt: 1,
  progress: { fraction: 1 / 3, message: "a third", currentStep: 2, totalSteps: 6 },
  error: { code: "script.threw", message: "no", stack: "at line 1", retryable: true },
  cancelRequestedAt: 1_800_000_000_008,
  cancelReason: "not wanted",
  cancelledBy: "canceller" as UserId,
  outputCount: 44,
  cpuMs: 987,
  peakMemoryBytes: 3_000_000_000,
});

export const anAttemptRow = (job: JobRow, facts: Partial<AttemptRow> = {}): AttemptRow => ({
  organizationId: job.organizationId,
  jobId: job.id,
  attempt: 1,
  runnerId: "runner" as RunnerId,
  startedAt: 1,
  endedAt: 2,
  outcome: "SUCCEEDED",
  result: '{"ok":true}',
  error: null,
  cpuMs: 3,
  peakMemoryBytes: 4,
  ...facts,
});

export const anOutputRow = (job: JobRow, facts: Partial<OutputRow> = {}): OutputRow => ({
  organizationId: job.organizationId,
  jobId: job.id,
  seq: 0,
  attempt: 1,
  stream: "STDOUT",
  text: "hello",
  writtenAt: 5,
  ...facts,
});

export const aStepRow = (job: JobRow, facts: Partial<StepRow> = {}): StepRow => ({
  organizationId: job.organizationId,
  jobId: job.id,
  name: "first",
  attempt: 1,
  result: "1",
  writtenAt: 7,
  ...facts,
});

export const aRequestRow = (job: JobRow, facts: Partial<RequestRow> = {}): RequestRow => ({
  organizationId: job.organizationId,
  requestId: `request for ${job.id}`,
  jobId: job.id,
  fingerprint: "f".repeat(64),
  createdAt: 6,
  ...facts,
});

export const aScriptRow = (facts: Partial<ScriptRow> = {}): ScriptRow => {
  const source = facts.source ?? "export default () => 1";
  return {
    organizationId: ACME,
    hash: createHash("sha256").update(source).digest("hex") as ScriptHash,
    language: "TYPESCRIPT",
    source,
    code: source,
    createdAt: 8,
    ...facts,
  };
};
