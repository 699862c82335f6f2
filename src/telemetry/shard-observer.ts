import type { DeliveryRow, DeliveryTryRow } from "../jobs/delivery.ts";
import type { JobRow } from "../jobs/job.ts";
import { LIMITS } from "../jobs/limits.ts";
import type { Committed, ShardObserver } from "../shard/observer.ts";
import type { Meters } from "./meters.ts";
import type { SERVER_TABLE } from "./tables/server.ts";
import type { ShardSpans } from "./shard-spans.ts";
import { workOf } from "./tables/work.ts";

type ServerMeters = Meters<typeof SERVER_TABLE>;

/** Turns what the shards tell into measurements and spans. */
export const createShardObserver = (meters: ServerMeters, spans: ShardSpans): ShardObserver => ({
  origin: spans.origin,
  committed: (facts) => {
    meters.batchSize(facts.commands, {});
    meters.commitDuration(facts.durationMs / 1_000, {});
    countChanges(meters, facts);
    spans.committed(facts);
  },
  commitFailed: () => {
    meters.commitFailures(1, {});
  },
  attemptStarted: (facts) => {
    const queueSeconds = Math.max(0, facts.startedAt - facts.queuedAt) / 1_000;
    meters.queued(queueSeconds, { "millrace.work": workOf(facts.capability) });
    spans.attemptStarted(facts);
  },
  attemptEnded: ({ capability, outcome, runMs, cpuMs, peakMemoryBytes }) => {
    const attributes = {
      "millrace.work": workOf(capability),
      "millrace.attempt.outcome": OUTCOME_NAMES[outcome],
    };
    meters.attempts(1, attributes);
    meters.attemptDuration(runMs / 1_000, attributes);
    if (attributes["millrace.work"] !== "script") return;
    meters.sandboxCpu(cpuMs / 1_000, {});
    meters.sandboxMemory(peakMemoryBytes, {});
  },
});

const OUTCOME_NAMES = {
  SUCCEEDED: "succeeded",
  FAILED: "failed",
  CANCELLED: "cancelled",
  LOST: "lost",
} as const;

/** What a commit wrote is what happened: whoever decided it, and however. */
const countChanges = (meters: ServerMeters, { changes, loopsStopped, now }: Committed): void => {
  for (const job of changes.inserted) {
    meters.submitted(1, { "millrace.job.origin": originOf(job) });
  }
  for (const jobs of [changes.inserted, changes.updated]) {
    for (const { state, endedAt } of jobs) {
      if (endedAt !== now || !(state in ENDING_NAMES)) continue;
      meters.ended(1, { "millrace.job.state": ENDING_NAMES[state as keyof typeof ENDING_NAMES] });
    }
  }
  for (const { state, createdAt, endedAt } of changes.workflows) {
    if (createdAt === now) meters.workflowsSubmitted(1, {});
    if (endedAt !== now || state === "RUNNING") continue;
    meters.workflowsEnded(1, { "millrace.workflow.state": ENDING_NAMES[state] });
  }
  for (const delivery of changes.deliveries) countDelivery(meters, delivery, now);
  for (const one of changes.tries) {
    meters.tries(one.durationMs / 1_000, { "millrace.delivery.outcome": outcomeOf(one) });
  }
  for (const { pausedAt, failures } of changes.hooks) {
    if (pausedAt === now && failures >= LIMITS.hookFailures) meters.hooksPaused(1, {});
  }
  if (loopsStopped > 0) meters.hookLoops(loopsStopped, {});
  for (const { resolution } of changes.points) {
    meters.points(1, { "millrace.metric.resolution": RESOLUTION_NAMES[resolution] });
  }
};

const RESOLUTION_NAMES = { MINUTE: "minute", HOUR: "hour", DAY: "day" } as const;

const ENDING_NAMES = {
  SUCCEEDED: "succeeded",
  FAILED: "failed",
  CANCELLED: "cancelled",
} as const;

const originOf = ({ parentId, workflowId }: JobRow) => {
  if (parentId !== "") return "parent";
  return workflowId === "" ? "caller" : "workflow";
};

const countDelivery = (
  meters: ServerMeters,
  { hookId, state, tries, createdAt, endedAt }: DeliveryRow,
  now: number,
): void => {
  const kind = { "millrace.delivery.kind": hookId === "" ? "callback" : "hook" } as const;
  if (createdAt === now) meters.notices(1, kind);
  if (endedAt !== now || state === "PENDING") return;
  const ended = state === "DELIVERED" ? "delivered" : "failed";
  meters.deliveries(1, { ...kind, "millrace.delivery.state": ended });
  meters.deliveryTries(tries, {});
};

const outcomeOf = ({ status, error }: DeliveryTryRow) => {
  if (error === "") return "delivered";
  if (status >= 500) return "unavailable";
  if (status >= 400) return "refused";
  return status === 0 ? "no_answer" : "redirected";
};
