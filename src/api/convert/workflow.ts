import { toBinary } from "@bufbuild/protobuf";

import {
  type SubmitWorkflowRequest,
  SubmitWorkflowRequestSchema,
} from "../../gen/millrace/v1/job_service_pb.ts";
import { isUuidV7 } from "../../jobs/ids.ts";
import type { Labels } from "../../jobs/job.ts";
import { LIMITS } from "../../jobs/limits.ts";
import { collectFaults, type Faults } from "./faults.ts";
import { text } from "./fields.ts";
import { checkLabels } from "./labels.ts";
import { checkRequestId } from "./request-id.ts";
import { type BoundInput, findBindings } from "./workflow-bindings.ts";
import { checkNames, checkOrder, checkTies, type StepTie } from "./workflow-ties.ts";

/** A step without what its job says of itself. */
export type CheckedStep = {
  readonly name: string;
  /** By the index of the upstream. */
  readonly ties: readonly StepTie[];
  readonly bound: BoundInput;
};

export type CheckedWorkflow = {
  readonly name: string;
  readonly labels: Labels;
  /** In the order of the request. */
  readonly steps: readonly CheckedStep[];
};

/**
 * What makes a request too large to look into. @throws JobFault INVALID_ARGUMENT
 */
export const admitWorkflow = (request: SubmitWorkflowRequest): void => {
  const faults = collectFaults();
  const { length } = request.steps;
  if (length === 0 || length > LIMITS.workflowSteps) {
    faults.add("steps", `must be 1 to ${LIMITS.workflowSteps}; there are ${length}.`);
  }
  const { byteLength } = toBinary(SubmitWorkflowRequestSchema, request);
  if (byteLength > LIMITS.workflowBytes) {
    const much = `it has ${byteLength}`;
    faults.add("steps", `must have at most ${LIMITS.workflowBytes} bytes in all; ${much}.`);
  }
  const after = request.steps.reduce((sum, step) => sum + step.after.length, 0);
  if (after > LIMITS.workflowTies) faults.add("steps", tooMany("ties", after));
  faults.throwIfAny();
};

const tooMany = (what: "ties" | "bindings", count: number): string => {
  const most = what === "ties" ? LIMITS.workflowTies : LIMITS.workflowBindings;
  return `must have at most ${most} ${what} in all; there are ${count}.`;
};

const count = <Item>(items: readonly Item[], sizeOf: (item: Item) => number): number =>
  items.reduce((sum, item) => sum + sizeOf(item), 0);

/** Everything of a workflow but the jobs themselves. `faults` speaks of the request. */
export const checkWorkflow = (faults: Faults, request: SubmitWorkflowRequest): CheckedWorkflow => {
  checkRequestId(faults, request.requestId, false);
  if (request.workflowId !== "" && !isUuidV7(request.workflowId)) {
    faults.add("workflow_id", "must be a UUIDv7 in lower case, or empty.");
  }
  const names = checkNames(faults, request.steps);
  const steps = request.steps.map((step, own) => {
    const inside = faults.inside(`steps[${own}].`);
    const bound = findBindings(inside.inside("spec."), step.spec?.input);
    return { name: step.name, bound, ties: checkTies(inside, step, bound, { names, own }) };
  });
  const ties = count(steps, (step) => step.ties.length);
  if (ties > LIMITS.workflowTies) faults.add("steps", tooMany("ties", ties));
  const bindings = count(steps, ({ bound }) => bound.bindings.length);
  if (bindings > LIMITS.workflowBindings) faults.add("steps", tooMany("bindings", bindings));
  checkOrder(faults, steps);
  return {
    name: text(faults, "name", request.name, LIMITS.nameLength),
    labels: checkLabels(faults, request.labels),
    steps,
  };
};
