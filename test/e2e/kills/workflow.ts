import { fromJson, toJson } from "@bufbuild/protobuf";
import { timestampMs, ValueSchema } from "@bufbuild/protobuf/wkt";
import { expect } from "vitest";

import { AttemptOutcome } from "../../../src/gen/millrace/v1/job_pb.ts";
import type { WorkflowNode } from "../../../src/gen/millrace/v1/workflow_pb.ts";
import { WorkflowState } from "../../../src/gen/millrace/v1/workflow_pb.ts";
import type { Work, World } from "./world.ts";

const LAYERS = 10;
const WIDTH = 10;
const STEPS = LAYERS * WIDTH;

/** A step takes the results of two of the layer before. */
type Step = { readonly name: string; readonly own: number; readonly from: readonly number[] };

const GRAPH: readonly Step[] = Array.from({ length: STEPS }, (_, own): Step => {
  const [layer, at] = [Math.floor(own / WIDTH), own % WIDTH];
  const before = (layer - 1) * WIDTH;
  const from = layer === 0 ? [] : [before + at, before + ((at * 7 + 3) % WIDTH)];
  return { name: `s${own}`, own, from: [...new Set(from)] };
});

const SOURCE = `export default async ({ own, from }, ctx) => {
  await ctx.sleep(20);
  return from.reduce((sum, value) => (3 * sum + value) % 10007, own);
}`;

const expected = (): number[] => {
  const results: number[] = [];
  for (const { own, from } of GRAPH) {
    results.push(from.reduce((sum, step) => (3 * sum + (results[step] ?? 0)) % 10_007, own));
  }
  return results;
};

const submitted = async ({ jobs }: World): Promise<string> => {
  const { workflow } = await jobs.submitWorkflow({
    steps: GRAPH.map(({ name, own, from }) => ({
      name,
      spec: {
        work: { case: "script", value: { source: SOURCE } },
        input: fromJson(ValueSchema, { own, from: from.map((step) => ({ $from: `s${step}` })) }),
      },
    })),
  });
  return workflow?.id ?? "";
};

/** Each step ended once, with what follows from the results of its upstreams, and after them. */
const checkSteps = async ({ jobs }: World, nodes: readonly WorkflowNode[]): Promise<void> => {
  const results = expected();
  const ended = nodes.map(({ job }) => (job?.endTime ? timestampMs(job.endTime) : 0));
  for (const { own, name, from } of GRAPH) {
    const jobId = nodes[own]?.job?.id ?? "";
    const { result } = await jobs.getJobResult({ jobId });
    expect(result && toJson(ValueSchema, result), name).toBe(results[own]);
    const { attempts } = await jobs.listJobAttempts({ jobId });
    const good = attempts.filter(({ outcome }) => outcome === AttemptOutcome.SUCCEEDED);
    expect(good, name).toHaveLength(1);
    const [first] = attempts;
    const started = first?.startTime === undefined ? 0 : timestampMs(first.startTime);
    for (const step of from) expect(started).toBeGreaterThanOrEqual(ended[step] ?? 0);
  }
};

/** A workflow of a hundred steps. */
export const beginWorkflow = async (world: World): Promise<Work> => {
  const workflowId = await submitted(world);
  const check = async (): Promise<void> => {
    const { workflow, nodes } = await world.jobs.getWorkflow({ workflowId });
    expect(workflow).toMatchObject({ state: WorkflowState.SUCCEEDED, succeededCount: STEPS });
    await checkSteps(world, nodes);
  };
  return { count: STEPS, check };
};
