import type { Job } from "../../gen/millrace/v1/job_pb.ts";
import {
  type GetWorkflowResponse,
  type WatchJobsResponse,
  WatchJobsResponseSchema,
} from "../../gen/millrace/v1/job_service_pb.ts";
import { durationText, errorText, runMs, stateName } from "../job/describe.ts";
import { jsonLine } from "../json.ts";
import type { OutputFormat } from "../options.ts";
import { printLine, type Shell } from "../shell.ts";
import { printGraph } from "./graph-text.ts";
import { createLiveGraph } from "./live-graph.ts";

/** Shows a workflow while it happens. */
export type GraphView = {
  /** Jobs that changed. */
  show(message: WatchJobsResponse): void;
  /** Something about the watching itself. */
  note(text: string): void;
  /** Leaves the terminal as it was found; with the workflow as it ended, if it did. */
  end(whole: GetWorkflowResponse | null): void;
};

const createJsonView = (shell: Shell): GraphView => ({
  show: (message) => {
    printLine(shell.stdout, jsonLine(WatchJobsResponseSchema, message));
  },
  note: () => {},
  end: () => {},
});

/** `transform  FAILED  340 ms  script.threw: no rows` */
const changeText = (job: Job): string => {
  const took = runMs(job);
  return [
    job.stepName,
    stateName(job.state),
    took === null ? "" : durationText(took),
    job.error === undefined ? "" : errorText(job.error),
  ]
    .filter((part) => part !== "")
    .join("  ");
};

/** Lines for logs and pipes: each change of a step on stderr, the graph at the end on stdout. */
const createPlainGraph = (shell: Shell): GraphView => {
  const told = new Map<string, string>();
  return {
    show: ({ jobs }) => {
      for (const job of jobs) {
        const what = `${job.state} ${job.attempt}`;
        if (told.get(job.id) === what) continue;
        told.set(job.id, what);
        printLine(shell.stderr, changeText(job));
      }
    },
    note: (text) => {
      printLine(shell.stderr, text);
    },
    end: (whole) => {
      if (whole !== null) printGraph(whole, shell);
    },
  };
};

/** JSON lines for machines, a graph that moves on a terminal, plain lines anywhere else. */
export const createGraphView = (
  format: OutputFormat,
  start: GetWorkflowResponse,
  shell: Shell,
): GraphView => {
  if (format === "json") return createJsonView(shell);
  return shell.stdout.isTTY && shell.stderr.isTTY
    ? createLiveGraph(start, shell)
    : createPlainGraph(shell);
};
