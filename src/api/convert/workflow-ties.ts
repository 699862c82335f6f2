import {
  UpstreamFailurePolicy as WirePolicy,
  UpstreamFailurePolicySchema,
  type WorkflowStep,
  type WorkflowTie,
} from "../../gen/millrace/v1/workflow_pb.ts";
import { LIMITS } from "../../jobs/limits.ts";
import { orderOf } from "../../jobs/step-order.ts";
import type { UpstreamFailurePolicy } from "../../jobs/workflow.ts";
import type { Faults } from "./faults.ts";
import { isKnown } from "./fields.ts";
import type { BoundInput } from "./workflow-bindings.ts";

/** A step waits for the one at that index. */
export type StepTie = {
  readonly upstream: number;
  readonly onFailure: UpstreamFailurePolicy;
};

/** Where each name stands; of those that are there twice, the first. */
export type StepNames = ReadonlyMap<string, number>;

const NAME = /^[A-Za-z0-9._-]+$/;

const shown = (name: string): string => JSON.stringify(name.slice(0, 120)).toWellFormed();

export const checkNames = (faults: Faults, steps: readonly WorkflowStep[]): StepNames => {
  const names = new Map<string, number>();
  const most = LIMITS.stepNameOfWorkflowLength;
  for (const [index, { name }] of steps.entries()) {
    const field = `steps[${index}].name`;
    const first = names.get(name);
    if (name.length > most || !NAME.test(name)) {
      faults.add(field, `must be 1 to ${most} of A-Z a-z 0-9 . _ -; it is ${shown(name)}.`);
    } else if (first === undefined) {
      names.set(name, index);
    } else {
      faults.add(field, `is ${shown(name)}, as that of steps[${first}]: names are unique.`);
    }
  }
  return names;
};

const policyOf = (faults: Faults, { onFailure }: WorkflowTie): UpstreamFailurePolicy => {
  if (!isKnown(UpstreamFailurePolicySchema, onFailure)) {
    faults.add("on_failure", `must be CANCEL or RUN; it is ${onFailure}.`);
  }
  return onFailure === WirePolicy.RUN ? "RUN" : "CANCEL";
};

/** The index of a step that another waits for; null where a fault was noted. */
const upstreamOf = (
  faults: Faults,
  field: string,
  name: string,
  { names, own }: { readonly names: StepNames; readonly own: number },
): number | null => {
  const upstream = names.get(name);
  if (upstream === undefined) {
    const what = name === "" ? "is missing: name a step." : `is no step: ${shown(name)}.`;
    faults.add(field, what);
    return null;
  }
  if (upstream !== own) return upstream;
  faults.add(field, `is ${shown(name)}, the step itself.`);
  return null;
};

/** What one step waits for, by `after` and by its bindings: each other step once. */
export const checkTies = (
  faults: Faults,
  { after }: WorkflowStep,
  { bindings }: BoundInput,
  place: { readonly names: StepNames; readonly own: number },
): StepTie[] => {
  const ties = new Map<number, StepTie>();
  for (const [index, tie] of after.entries()) {
    const inside = faults.inside(`after[${index}].`);
    const onFailure = policyOf(inside, tie);
    const upstream = upstreamOf(inside, "step", tie.step, place);
    if (upstream === null) continue;
    if (ties.has(upstream)) inside.add("step", `names ${shown(tie.step)} for the second time.`);
    else ties.set(upstream, { upstream, onFailure });
  }
  for (const { at, step, of } of bindings) {
    // Said where the binding was read.
    if (step === "") continue;
    const upstream = upstreamOf(faults, `spec.input${at}/$from`, step, place);
    if (upstream === null) continue;
    const tie = ties.get(upstream) ?? { upstream, onFailure: "CANCEL" };
    ties.set(upstream, tie);
    if (of === "error" && tie.onFailure === "CANCEL") {
      const advice = 'give `after` that step with "on_failure": "UPSTREAM_FAILURE_POLICY_RUN"';
      faults.add(`spec.input${at}/of`, `would always be null: ${advice}.`);
    }
  }
  return [...ties.values()].toSorted((a, b) => a.upstream - b.upstream);
};

const SHOWN_OF_CYCLE = 10;

const cycleText = (cycle: readonly string[]): string => {
  const rest = cycle.length - SHOWN_OF_CYCLE;
  const ways =
    rest > 0 ? [...cycle.slice(0, SHOWN_OF_CYCLE), `… ${rest} more`] : [...cycle.slice()];
  return [...ways, cycle[0]].join(" → ");
};

/** Cycles, and ways that are too long. */
export const checkOrder = (
  faults: Faults,
  steps: readonly { readonly name: string; readonly ties: readonly StepTie[] }[],
): void => {
  const { depth, cycles } = orderOf(steps.map(({ ties }) => ties.map(({ upstream }) => upstream)));
  for (const cycle of cycles) {
    const names = cycle.map((step) => steps[step]?.name ?? "");
    faults.add(`steps[${cycle[0]}]`, `waits for itself: ${cycleText(names)}.`);
  }
  if (depth > LIMITS.workflowDepth) {
    const most = LIMITS.workflowDepth;
    faults.add("steps", `must be at most ${most} that follow one another; there are ${depth}.`);
  }
};
