import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";

import { JobState as WireState } from "../../gen/millrace/v1/job_pb.ts";
import {
  type Hook,
  HookSchema,
  type HookSpec,
  type JobEventFilter,
  type Threshold,
  ThresholdMetric as WireMetric,
} from "../../gen/millrace/v1/hook_service_pb.ts";
import {
  type HookEvent,
  type HookRow,
  type HookTarget,
  THRESHOLD_METRICS,
} from "../../jobs/hook.ts";
import { LIMITS } from "../../jobs/limits.ts";
import type { JobState } from "../../jobs/states.ts";
import type { Receivers } from "../../outgoing/receivers.ts";
import type { HookFacts } from "../../shard/commands/hook.ts";
import type { Faults } from "./faults.ts";
import { durationWithin, text } from "./fields.ts";
import { checkStates } from "./filter.ts";
import { checkLabelTexts } from "./labels.ts";
import { checkReceiver } from "./receiver.ts";
import { checkTypeName } from "./work.ts";

/* Hooks between the wire and the store. */

const ENDS: readonly JobState[] = ["SUCCEEDED", "FAILED", "CANCELLED"];

const checkFilter = (faults: Faults, { states, types, labels }: JobEventFilter): HookEvent => {
  const asked = checkStates(faults, states);
  if (types.length > LIMITS.hookTypes) {
    faults.add("types", `must be at most ${LIMITS.hookTypes}; there are ${types.length}.`);
  } else {
    types.forEach((name, index) => checkTypeName(faults, `types[${index}]`, name));
  }
  const pairs = Object.entries(labels);
  if (pairs.length > LIMITS.filterLabels) {
    faults.add("labels", `must be at most ${LIMITS.filterLabels}; there are ${pairs.length}.`);
  } else {
    checkLabelTexts(faults, pairs);
  }
  return {
    kind: "jobs",
    states: asked.length === 0 ? ENDS : asked,
    types: [...new Set(types)],
    labels: { ...labels },
  };
};

const checkThreshold = (faults: Faults, threshold: Threshold): HookEvent => {
  const { type, above } = threshold;
  const metric = THRESHOLD_METRICS.find((name) => WireMetric[name] === threshold.metric);
  if (metric === undefined) {
    const known = THRESHOLD_METRICS.join(", ");
    faults.add("metric", `must be one of ${known}; it is ${threshold.metric}.`);
  }
  if (type !== "") checkTypeName(faults, "type", type);
  if (!Number.isFinite(above) || above < 0) {
    faults.add("above", `must be a number, 0 or more; it is ${above}.`);
  } else if (metric === "FAILURE_RATIO" && above >= 1) {
    faults.add("above", `must be less than 1 for FAILURE_RATIO; it is ${above}.`);
  }
  const forMs = durationWithin(faults, "for", threshold.for, LIMITS.hookForMs, 0);
  return { kind: "threshold", metric: metric ?? "QUEUED_JOBS", type, above, forMs };
};

const checkEvent = (faults: Faults, event: HookSpec["event"]): HookEvent | null => {
  switch (event.case) {
    case "jobs":
      return checkFilter(faults.inside("jobs."), event.value);
    case "threshold":
      return checkThreshold(faults.inside("threshold."), event.value);
    case undefined:
      faults.add("event", "is missing: give `jobs` or `threshold`.");
      return null;
  }
};

const checkTarget = (
  faults: Faults,
  target: HookSpec["target"],
  receivers: Receivers,
): HookTarget | null => {
  switch (target.case) {
    case "url":
      return { kind: "url", url: checkReceiver(faults, "url", target.value, receivers) };
    case "job":
      return { kind: "job", type: checkTypeName(faults, "job.type", target.value.type) };
    case undefined:
      faults.add("target", "is missing: give `url` or `job`.");
      return null;
  }
};

/** `faults` speaks of the fields of the spec. Null with a fault. Whether a type is there is not looked up. */
export const checkHook = (
  faults: Faults,
  spec: HookSpec,
  receivers: Receivers,
): HookFacts | null => {
  const name = text(faults, "name", spec.name, LIMITS.hookNameLength);
  const event = checkEvent(faults, spec.event);
  const target = checkTarget(faults, spec.target, receivers);
  return event === null || target === null ? null : { name, event, target };
};

const toEvent = (event: HookEvent): HookSpec["event"] =>
  event.kind === "jobs"
    ? {
        case: "jobs",
        value: {
          $typeName: "millrace.v1.JobEventFilter",
          states: event.states.map((state) => WireState[state]),
          types: [...event.types],
          labels: { ...event.labels },
        },
      }
    : {
        case: "threshold",
        value: {
          $typeName: "millrace.v1.Threshold",
          metric: WireMetric[event.metric],
          type: event.type,
          above: event.above,
          for: durationFromMs(event.forMs),
        },
      };

const toTarget = (target: HookTarget): HookSpec["target"] =>
  target.kind === "url"
    ? { case: "url", value: target.url }
    : { case: "job", value: { $typeName: "millrace.v1.HookJob", type: target.type } };

export const toHook = (row: HookRow): Hook =>
  create(HookSchema, {
    id: row.id,
    spec: { name: row.name, event: toEvent(row.event), target: toTarget(row.target) },
    paused: row.pausedAt !== null,
    pauseReason: row.pauseReason,
    failures: row.failures,
    loopsStopped: BigInt(row.loopsStopped),
    loopReason: row.loopReason,
    ...(row.aboveSince === null ? {} : { aboveSince: timestampFromMs(row.aboveSince) }),
    firing: row.firing,
    creatorId: row.creatorId,
    createTime: timestampFromMs(row.createdAt),
    updateTime: timestampFromMs(row.changedAt),
    version: BigInt(row.version),
  });
