import { create, fromJson, type JsonValue, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampMs, ValueSchema } from "@bufbuild/protobuf/wkt";

import type { Job } from "../src/gen/millrace/v1/job_pb.ts";
import type { WorkflowNode } from "../src/gen/millrace/v1/workflow_pb.ts";
import { WorkflowState, WorkflowStepSchema } from "../src/gen/millrace/v1/workflow_pb.ts";
import { type Figure, percentile, spaced } from "./figures.ts";
import { runnerOf } from "./processing.ts";
import type { Service } from "./service.ts";

const FAN = 1_000;
const CHAIN = 200;
const ROUNDS = 5;
const LOOK_MS = 20;

type Step = MessageInitShape<typeof WorkflowStepSchema>;

const step = (name: string, input: JsonValue, after: readonly string[] = []): Step =>
  create(WorkflowStepSchema, {
    name,
    spec: { work: { case: "type", value: "noop" }, input: fromJson(ValueSchema, input) },
    after: after.map((upstream) => ({ step: upstream })),
  });

/** One step, many that take its result and run beside each other, and one that waits for them all. */
const fan = (steps: number): Step[] => {
  const middle = Array.from({ length: steps - 2 }, (_, at) => `m${at}`);
  return [
    step("first", "first"),
    ...middle.map((name) => step(name, [name, { $from: "first" }])),
    step("last", "last", middle),
  ];
};

/** Each takes the result of the one before. */
const chain = (steps: number): Step[] =>
  Array.from({ length: steps }, (_, at) =>
    step(`s${at}`, at === 0 ? "s0" : [`s${at}`, { $from: `s${at - 1}` }]),
  );

/** When the handler of a step began and ended, by the clock of the runner. */
type Moments = Map<string, { begun: number; ended: number }>;

const startOf = ({ startTime }: Job): number =>
  startTime === undefined ? Number.NaN : timestampMs(startTime);
const endOf = ({ endTime }: Job): number =>
  endTime === undefined ? Number.NaN : timestampMs(endTime);

/** From the end of the last upstream of each step to its start. */
const waitsOf = (
  nodes: readonly WorkflowNode[],
  endAt: (node: WorkflowNode) => number,
  startAt: (node: WorkflowNode) => number,
): number[] => {
  const ends = new Map(nodes.map((node) => [node.name, endAt(node)]));
  return nodes
    .filter(({ after }) => after.length > 0)
    .map((node) => {
      const last = Math.max(...node.after.map((tie) => ends.get(tie.step) ?? Number.NaN));
      return startAt(node) - last;
    });
};

const untilEnded = async ({ jobs }: Service, workflowId: string) => {
  for (;;) {
    const running = await jobs.listWorkflows({ states: [WorkflowState.RUNNING], pageSize: 1 });
    if (running.workflows.length === 0) return await jobs.getWorkflow({ workflowId });
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
};

type Round = { readonly rate: number; readonly own: number[]; readonly handlers: number[] };

const run = async (service: Service, steps: Step[], moments: Moments): Promise<Round> => {
  moments.clear();
  const begun = performance.now();
  const { workflow } = await service.jobs.submitWorkflow({ steps });
  const { workflow: ended, nodes } = await untilEnded(service, workflow?.id ?? "");
  if (ended?.state !== WorkflowState.SUCCEEDED) {
    throw new Error(`a workflow of the benchmark ended in state ${ended?.state}`);
  }
  const lastEnd = Math.max(...[...moments.values()].map((moment) => moment.ended));
  const jobOf = ({ job }: WorkflowNode): Job => {
    if (job === undefined) throw new Error("a step of the benchmark has no job");
    return job;
  };
  const momentOf = ({ name }: WorkflowNode) =>
    moments.get(name) ?? { begun: Number.NaN, ended: Number.NaN };
  return {
    rate: (steps.length * 1_000) / (lastEnd - begun),
    own: waitsOf(
      nodes,
      (node) => endOf(jobOf(node)),
      (node) => startOf(jobOf(node)),
    ),
    handlers: waitsOf(
      nodes,
      (node) => momentOf(node).ended,
      (node) => momentOf(node).begun,
    ),
  };
};

const textOf = (waits: readonly number[]): string =>
  `p50 ${percentile(waits, 0.5).toFixed(1)} ms, p99 ${percentile(waits, 0.99).toFixed(1)} ms`;

const nameOf = (input: unknown): string => String(Array.isArray(input) ? input[0] : input);

/** Workflows of trusted handlers that do nothing: what ties and bindings cost. */
export const benchWorkflows = async (service: Service): Promise<Figure[]> => {
  const moments: Moments = new Map();
  const runner = runnerOf(service, FAN, {
    noop: {
      execute: ({ input }) => {
        const now = performance.now();
        moments.set(nameOf(input), { begun: now, ended: now });
        return nameOf(input);
      },
    },
  });
  await service.putHandler("noop");
  await runner.start();
  const shapes = [
    [`${spaced(FAN)}-step fan-out and fan-in`, fan(FAN)],
    [`${CHAIN}-step chain`, chain(CHAIN)],
  ] as const;
  try {
    const figures: Figure[] = [];
    for (const [name, steps] of shapes) {
      await run(service, steps, moments);
      const rounds: Round[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        rounds.push(await run(service, steps, moments));
      }
      const rates = rounds.map(({ rate }) => rate);
      const [own, handlers] = [
        rounds.flatMap((one) => one.own),
        rounds.flatMap((one) => one.handlers),
      ];
      figures.push(
        {
          name: `${name}, from the call to the last handler`,
          value: `${spaced(percentile(rates, 0.5))} steps/s`,
        },
        { name: `${name}, upstream's end → start, by the jobs' times`, value: textOf(own) },
        { name: `${name}, from handler to handler`, value: textOf(handlers) },
      );
    }
    return figures;
  } finally {
    await runner.stop();
  }
};
