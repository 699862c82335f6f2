import type { HookEvent, HookRow } from "../../src/jobs/hook.ts";
import type { HookId, OrganizationId } from "../../src/jobs/ids.ts";
import { aJobId } from "./job-row.ts";

type JobEvents = Extract<HookEvent, { readonly kind: "jobs" }>;

/** What a hook of job events waits for: every end, if nothing else is said. */
export const onJobs = (facts: Partial<JobEvents> = {}): JobEvents => ({
  kind: "jobs",
  states: ["SUCCEEDED", "FAILED", "CANCELLED"],
  types: [],
  labels: {},
  ...facts,
});

export const TO_URL = { kind: "url", url: "https://hooks.example/in" } as const;
export const TO_JOB = { kind: "job", type: "follow-up" } as const;

/** A hook of `acme` that tells of every end, with only the facts that matter said. */
export const aHookRow = (facts: Partial<HookRow> = {}): HookRow => ({
  organizationId: "acme" as OrganizationId,
  id: aJobId() as string as HookId,
  name: "",
  event: onJobs(),
  target: TO_URL,
  creatorId: "",
  pausedAt: null,
  pauseReason: "",
  failures: 0,
  loopsStopped: 0,
  loopReason: "",
  aboveSince: null,
  firing: false,
  version: 1,
  createdAt: 0,
  changedAt: 0,
  ...facts,
});
