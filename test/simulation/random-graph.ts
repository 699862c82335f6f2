import { SERVER } from "../../src/jobs/audit.ts";
import type { JobId, OrganizationId, WorkflowId } from "../../src/jobs/ids.ts";
import { type Binding, type EdgeRow, freshWorkflow } from "../../src/jobs/workflow.ts";
import type { WorkflowSubmission } from "../../src/jobs/workflow-submission.ts";
import type { Submission } from "../../src/jobs/submission.ts";
import type { Dice, World } from "./world.ts";

/** For each step, the earlier ones that it waits for. */
const shapeOf = (dice: Dice, size: number): number[][] => {
  const all = Array.from({ length: size }, (_, index) => index);
  switch (dice.pick(["chain", "fan", "diamond", "any"])) {
    case "chain":
      return all.map((step) => (step === 0 ? [] : [step - 1]));
    case "fan":
      return all.map((step) => (step === 0 ? [] : [0]));
    case "diamond":
      return all.map((step) => {
        if (step === 0) return [];
        return step === size - 1 ? all.slice(Math.min(1, step - 1), step) : [0];
      });
    default:
      return all.map((step) => all.slice(0, step).filter(() => dice.chance(0.4)));
  }
};

const bindingOf = (dice: Dice, upstream: Submission["job"], runs: boolean): Binding => {
  const isThere = dice.chance(0.8);
  return {
    path: [upstream.stepName],
    upstreamId: upstream.id,
    step: upstream.stepName,
    of: runs && dice.chance(0.7) ? "error" : "result",
    pointer: isThere ? "" : "/nothing",
    fallback: isThere || dice.chance(0.3) ? "7" : null,
  };
};

/** A random workflow of these jobs, which get their places in it: chains, fans, diamonds and others. */
export const randomWorkflow = (
  { dice, ...world }: Pick<World, "dice"> & { readonly now: number; readonly id: WorkflowId },
  organizationId: OrganizationId,
  jobs: readonly Submission[],
): WorkflowSubmission => {
  const { id, now } = world;
  const placed = jobs.map(({ job }, position) => ({
    ...job,
    ...{ workflowId: id, stepName: `step-${position}`, concurrencyPolicy: "QUEUE" as const },
  }));
  const edges: EdgeRow[] = [];
  const shape = shapeOf(dice, jobs.length);
  const steps = placed.map((job, position) => {
    const bindings: Binding[] = [];
    for (const upstream of (shape[position] ?? []).flatMap((at) => placed[at] ?? [])) {
      const onFailure = dice.chance(0.4) ? "RUN" : "CANCEL";
      const upstreamId = upstream.id;
      edges.push({ organizationId, workflowId: id, jobId: job.id, upstreamId, onFailure });
      if (dice.chance(0.6)) bindings.push(bindingOf(dice, upstream, onFailure === "RUN"));
    }
    const input = Object.fromEntries(bindings.map(({ step }) => [step, { $from: step }]));
    const spec = {
      ...(jobs[position]?.spec as Submission["spec"]),
      ...{ input: JSON.stringify(input), requestId: "" },
      bindings: bindings.length === 0 ? "" : JSON.stringify(bindings),
    };
    const deferred = jobs[position]?.deferred ?? false;
    return {
      step: { organizationId, workflowId: id, position, name: job.stepName, jobId: job.id },
      submission: {
        ...{ idIsChosen: true, job, spec, script: null, request: null, deferred },
        ...{ refusal: null, by: SERVER },
      },
    };
  });
  const requestId = `request-${id}`;
  const jobId = id as string as JobId;
  return {
    workflow: freshWorkflow({
      ...{ organizationId, id, name: "", labels: {}, creatorId: "", requestId },
      ...{ stepCount: steps.length, createdAt: now },
    }),
    idIsChosen: dice.chance(0.5),
    steps,
    edges,
    request: { organizationId, requestId, jobId, fingerprint: requestId, createdAt: now },
    by: SERVER,
  };
};
