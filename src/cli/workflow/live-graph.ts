import type { GetWorkflowResponse } from "../../gen/millrace/v1/job_service_pb.ts";
import { JobState } from "../../gen/millrace/v1/job_pb.ts";
import type { Workflow, WorkflowNode } from "../../gen/millrace/v1/workflow_pb.ts";
import type { Shell } from "../shell.ts";
import { TERMINAL_COLOURS as COLOURS } from "../view/colours.ts";
import { printableLine } from "../view/printable.ts";
import {
  type GraphLine,
  graphLines,
  printGraph,
  STEPS_PER_LAYER,
  titleText,
} from "./graph-text.ts";
import type { GraphView } from "./graph-view.ts";

const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";
/** A line that is too long is cut by the terminal: lines have to be counted. */
const CUT_LINES = "\u001b[?7l";
const WRAP_LINES = "\u001b[?7h";

const backOver = (lines: number): string => (lines === 0 ? "" : `\u001b[${lines}A\r\u001b[0J`);

/** Changes come in bursts; and how long a step has run changes by itself. */
const SOON_MS = 70;
const TICK_MS = 1_000;
const ROWS_WITHOUT_TERMINAL = 24;

const countOf = (nodes: readonly WorkflowNode[], state: JobState): number =>
  nodes.filter(({ job }) => job?.state === state).length;

const counted = (workflow: Workflow, nodes: readonly WorkflowNode[]): Workflow => ({
  ...workflow,
  succeededCount: countOf(nodes, JobState.SUCCEEDED),
  failedCount: countOf(nodes, JobState.FAILED),
  cancelledCount: countOf(nodes, JobState.CANCELLED),
});

/** Those around the first step that has not ended, as far as there is room. */
const windowOf = (lines: readonly GraphLine[], room: number): readonly string[] => {
  const texts = lines.map(({ text }) => text);
  if (texts.length <= room) return texts;
  const first = lines.findIndex(({ active }) => active);
  const wanted = (first === -1 ? texts.length : first) - 2;
  const from = Math.max(0, Math.min(wanted, texts.length - (room - 2)));
  const shown = texts.slice(from, from + room - 2);
  const below = texts.length - from - shown.length;
  return [COLOURS.dim(`… ${from} lines above`), ...shown, COLOURS.dim(`… ${below} lines below`)];
};

/** A graph that is drawn over itself until its end. */
export const createLiveGraph = (start: GetWorkflowResponse, shell: Shell): GraphView => {
  const { stderr: terminal, clock } = shell;
  const nodes = new Map(start.nodes.map((node) => [node.name, node]));
  let drawn = 0;
  let stop = (): void => {};

  const draw = (): void => {
    const now = clock.now();
    const all = [...nodes.values()];
    const room = Math.max(3, (terminal.rows ?? ROWS_WITHOUT_TERMINAL) - 2);
    const drawing = { now, colours: COLOURS, terminal: true, stepsPerLayer: STEPS_PER_LAYER };
    const title =
      start.workflow === undefined ? "" : titleText(counted(start.workflow, all), now, true);
    const lines = [COLOURS.bold(title), ...windowOf(graphLines(all, drawing), room)];
    terminal.write(`${backOver(drawn)}${lines.join("\n")}\n`);
    drawn = lines.length;
    stop = clock.after(TICK_MS, draw);
  };
  const drawSoon = (): void => {
    stop();
    stop = clock.after(SOON_MS, draw);
  };

  terminal.write(HIDE_CURSOR + CUT_LINES);
  draw();
  return {
    show: ({ jobs }) => {
      for (const job of jobs) {
        const node = nodes.get(job.stepName);
        if (node !== undefined) nodes.set(job.stepName, { ...node, job });
      }
      if (jobs.length > 0) drawSoon();
    },
    note: (text) => {
      terminal.write(`${backOver(drawn)}${COLOURS.yellow(printableLine(text, true))}\n`);
      drawn = 0;
      draw();
    },
    end: (whole) => {
      stop();
      if (whole === null) draw();
      stop();
      terminal.write((whole === null ? "" : backOver(drawn)) + WRAP_LINES + SHOW_CURSOR);
      if (whole !== null) printGraph(whole, shell);
    },
  };
};
