import { createHash } from "node:crypto";

import type { DescEnum } from "@bufbuild/protobuf";

import {
  DeliveryState as WireDeliveryState,
  DeliveryStateSchema,
} from "../../gen/millrace/v1/hook_service_pb.ts";
import { JobState as WireState, JobStateSchema } from "../../gen/millrace/v1/job_pb.ts";
import type { JobFilter as WireFilter } from "../../gen/millrace/v1/job_service_pb.ts";
import {
  WorkflowState as WireWorkflowState,
  WorkflowStateSchema,
} from "../../gen/millrace/v1/workflow_pb.ts";
import { seesOnly, type UserCaller } from "../../identity/caller.ts";
import { canonicalJson } from "../../jobs/canonical-json.ts";
import { DELIVERY_STATES, type DeliveryState } from "../../jobs/delivery.ts";
import { isId, type UserId } from "../../jobs/ids.ts";
import type { JobRow } from "../../jobs/job.ts";
import { LIMITS } from "../../jobs/limits.ts";
import { JOB_STATES, type JobState } from "../../jobs/states.ts";
import { WORKFLOW_STATES, type WorkflowState } from "../../jobs/workflow.ts";
import type { JobFilter } from "../../store/store.ts";
import type { Faults } from "./faults.ts";
import { keyed, moment, text } from "./fields.ts";

/** Each once, in their order: a statement names no more of them than there are. */
const checkNames = <Name extends string>(
  faults: Faults,
  given: readonly number[],
  names: readonly Name[],
  wire: Readonly<Record<Name, number>>,
  schema: DescEnum,
): Name[] => {
  if (given.length > LIMITS.filterStates) {
    faults.add("states", `must be at most ${LIMITS.filterStates}; there are ${given.length}.`);
    return [];
  }
  for (const [index, state] of given.entries()) {
    if (names.some((name) => wire[name] === state)) continue;
    faults.add(`states[${index}]`, `must be a state; it is ${schema.value[state]?.name ?? state}.`);
  }
  return names.filter((name) => given.includes(wire[name]));
};

/** `faults` speaks of what holds the states. */
export const checkStates = (faults: Faults, given: readonly WireState[]): JobState[] =>
  checkNames(faults, given, JOB_STATES, WireState, JobStateSchema);

export const checkWorkflowStates = (
  faults: Faults,
  given: readonly WireWorkflowState[],
): WorkflowState[] =>
  checkNames(faults, given, WORKFLOW_STATES, WireWorkflowState, WorkflowStateSchema);

export const checkDeliveryStates = (
  faults: Faults,
  given: readonly WireDeliveryState[],
): DeliveryState[] =>
  checkNames(faults, given, DELIVERY_STATES, WireDeliveryState, DeliveryStateSchema);

const id = (faults: Faults, field: string, value: string): string => {
  if (value !== "" && !isId(value))
    faults.add(field, "must be an id: at most 36 ASCII characters.");
  return value;
};

const orNull = <T extends string>(value: T): T | null => (value === "" ? null : value);

/** What a caller asked for, narrowed to what he may see. `faults` speaks of the fields of the filter. */
export const checkFilter = (
  faults: Faults,
  filter: WireFilter | undefined,
  caller: UserCaller,
): JobFilter => {
  const labels = filter?.labels ?? {};
  const count = Object.keys(labels).length;
  if (count > LIMITS.filterLabels) {
    faults.add("labels", `must be at most ${LIMITS.filterLabels}; there are ${count}.`);
  }
  for (const [key, value] of Object.entries(labels)) {
    text(faults, keyed("labels", key), value, LIMITS.labelValueLength);
  }
  return {
    states: checkStates(faults, filter?.states ?? []),
    type: orNull(text(faults, "type", filter?.type ?? "", LIMITS.typeLength)),
    labels,
    creatorId: orNull(id(faults, "creator_id", filter?.creatorId ?? "")) as UserId | null,
    createdAfter: moment(faults, "created_after", filter?.createdAfter),
    createdBefore: moment(faults, "created_before", filter?.createdBefore),
    workflowId: orNull(id(faults, "workflow_id", filter?.workflowId ?? "")),
    visibleTo: seesOnly(caller),
  };
};

/** The same filter has the same mark: a page token is good for one filter only. */
export const filterMark = (filter: JobFilter): string =>
  createHash("sha256").update(canonicalJson(filter)).digest("base64url").slice(0, 16);

/** The same decision that the store takes in SQL, for rows that come from the feed. */
export const matches = (filter: JobFilter, job: JobRow): boolean =>
  (filter.states.length === 0 || filter.states.includes(job.state)) &&
  (filter.type === null || filter.type === job.type) &&
  Object.entries(filter.labels).every(([key, value]) => job.labels[key] === value) &&
  (filter.creatorId === null || filter.creatorId === job.creatorId) &&
  (filter.createdAfter === null || job.createdAt >= filter.createdAfter) &&
  (filter.createdBefore === null || job.createdAt < filter.createdBefore) &&
  (filter.workflowId === null || filter.workflowId === job.workflowId) &&
  (filter.visibleTo === null ||
    filter.visibleTo === job.creatorId ||
    filter.visibleTo === job.runAs);
