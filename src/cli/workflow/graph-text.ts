import { timestampMs } from "@bufbuild/protobuf/wkt";

import { type Job, JobState } from "../../gen/millrace/v1/job_pb.ts";
import type { GetWorkflowResponse } from "../../gen/millrace/v1/job_service_pb.ts";
import {
  UpstreamFailurePolicy,
  type Workflow,
  type WorkflowNode,
} from "../../gen/millrace/v1/workflow_pb.ts";
import { durationText, errorText, hasEnded, progressText, stateName } from "../job/describe.ts";
import { printLine, type Shell } from "../shell.ts";
import { type Colours, colourOf, NO_COLOURS, TERMINAL_COLOURS } from "../view/colours.ts";
import { printableLine } from "../view/printable.ts";
import { ageText, countsText, workflowStateName } from "./describe.ts";
import { layersOf } from "./layers.ts";

/** How much of a graph is drawn, and for whom. */
export type Drawing = {
  readonly now: number;
  readonly colours: Colours;
  readonly terminal: boolean;
  /** Of one layer; the others are counted. */
  readonly stepsPerLayer: number;
};

const SIGNS: Readonly<Partial<Record<JobState, string>>> = {
  [JobState.SUCCEEDED]: "●",
  [JobState.FAILED]: "✗",
  [JobState.CANCELLED]: "⊘",
  [JobState.RUNNING]: "◐",
  [JobState.RETRYING]: "↻",
};

const stateOf = ({ job }: WorkflowNode): JobState => job?.state ?? JobState.UNSPECIFIED;

const nameOfState = (node: WorkflowNode): string =>
  node.job === undefined ? "REMOVED" : stateName(node.job.state);

/** Of the newest attempt, while it runs until `now`. */
const tookText = ({ startTime, endTime, state }: Job, now: number): string => {
  if (startTime === undefined) return "";
  if (endTime !== undefined) return durationText(timestampMs(endTime) - timestampMs(startTime));
  return state === JobState.RUNNING ? durationText(Math.max(0, now - timestampMs(startTime))) : "";
};

const SHOWN_TIES = 5;

/** `← fetch, check (runs anyway)` */
const tiesText = ({ after }: WorkflowNode): string => {
  if (after.length === 0) return "";
  const shown = after
    .slice(0, SHOWN_TIES)
    .map(({ step, onFailure }) =>
      onFailure === UpstreamFailurePolicy.RUN ? `${step} (runs anyway)` : step,
    );
  const rest = after.length - shown.length;
  return `← ${shown.join(", ")}${rest === 0 ? "" : ` and ${rest} more`}`;
};

/** What there is to say of a step beside its state. */
const remarkOf = (job: Job): string => {
  if (job.state === JobState.FAILED && job.error !== undefined) return errorText(job.error);
  if (job.state === JobState.CANCELLED) {
    return job.blockedBy === "" ? job.cancelReason : `${job.blockedBy} did not succeed`;
  }
  const progress = progressText(job);
  return job.state === JobState.RUNNING && progress !== "0 %" ? progress : "";
};

/** Those that people look for first: what went wrong, what runs, what waits, what is done. */
const URGENCY: readonly JobState[] = [
  JobState.FAILED,
  JobState.RUNNING,
  JobState.RETRYING,
  JobState.CANCELLED,
  JobState.QUEUED,
  JobState.SCHEDULED,
  JobState.HELD,
  JobState.BLOCKED,
  JobState.SUCCEEDED,
];

const shownOf = (layer: readonly WorkflowNode[], most: number): ReadonlySet<WorkflowNode> =>
  new Set(
    layer.length <= most
      ? layer
      : layer
          .toSorted((a, b) => URGENCY.indexOf(stateOf(a)) - URGENCY.indexOf(stateOf(b)))
          .slice(0, most),
  );

/** `… and 988 more: 980 SUCCEEDED, 8 QUEUED` */
const restText = (rest: readonly WorkflowNode[]): string => {
  const counts = Map.groupBy(rest, nameOfState);
  const told = [...counts].map(([name, nodes]) => `${nodes.length} ${name}`);
  return `… and ${rest.length} more: ${told.join(", ")}`;
};

export type GraphLine = {
  readonly text: string;
  /** A step that has not ended is in it. */
  readonly active: boolean;
};

const isActive = ({ job }: WorkflowNode): boolean => job !== undefined && !hasEnded(job.state);

/** Layer by layer, a line for each step: sign, name, state, how long it took, what it waits for. */
export const graphLines = (nodes: readonly WorkflowNode[], drawing: Drawing): GraphLine[] => {
  const { now, colours, terminal, stepsPerLayer } = drawing;
  const layers = layersOf(nodes);
  const numbers = String(layers.length).length;
  const shown = layers.map((layer) => shownOf(layer, stepsPerLayer));
  const width = Math.max(0, ...shown.flatMap((some) => [...some].map(({ name }) => name.length)));
  const lineOf = (node: WorkflowNode): string => {
    const colour = colourOf(stateOf(node), colours);
    const { job } = node;
    const parts = [
      colour(`${SIGNS[stateOf(node)] ?? "○"} ${printableLine(node.name, terminal).padEnd(width)}`),
      colour(nameOfState(node).padEnd(9)),
      (job === undefined ? "" : tookText(job, now)).padStart(9),
      colours.dim(printableLine(tiesText(node), terminal)),
      printableLine(job === undefined ? "" : remarkOf(job), terminal),
    ];
    return parts.filter((part, index) => index < 3 || part !== "").join("  ");
  };
  return layers.flatMap((layer, at) => {
    const some = shown[at] ?? new Set();
    const rest = layer.filter((node) => !some.has(node));
    const lines = layer
      .filter((node) => some.has(node))
      .map((node) => ({ text: lineOf(node), active: isActive(node) }));
    if (rest.length > 0) {
      lines.push({ text: restText(rest), active: rest.some(isActive) });
    }
    return lines.map(({ text, active }, index) => ({
      text: `${(index === 0 ? String(at + 1) : "").padStart(numbers)} ${text}`.trimEnd(),
      active,
    }));
  });
};

/** `report  RUNNING  2 of 4 steps succeeded  1.2 s` */
export const titleText = (workflow: Workflow, now: number, terminal: boolean): string =>
  [
    printableLine(workflow.name === "" ? workflow.id : workflow.name, terminal),
    workflowStateName(workflow.state),
    countsText(workflow),
    ageText(workflow, now),
  ].join("  ");

/** So many of a layer are drawn unless all are wanted. */
export const STEPS_PER_LAYER = 20;

/** Title and graph, for a command that looks once. */
export const printGraph = (
  { workflow, nodes }: GetWorkflowResponse,
  shell: Shell,
  stepsPerLayer = STEPS_PER_LAYER,
): void => {
  if (workflow === undefined) return;
  const terminal = shell.stdout.isTTY;
  const now = shell.clock.now();
  const colours = terminal ? TERMINAL_COLOURS : NO_COLOURS;
  const lines = graphLines(nodes, { now, colours, terminal, stepsPerLayer });
  const text = [titleText(workflow, now, terminal), ...lines.map((line) => line.text)].join("\n");
  // printLine takes colours away with all other control sequences; what others wrote has none left.
  if (terminal) shell.stdout.write(`${text}\n`);
  else printLine(shell.stdout, text);
};
