import {
  type WatchJobResponse,
  WatchJobResponseSchema,
} from "../../gen/millrace/v1/job_service_pb.ts";
import { jsonLine } from "../json.ts";
import type { OutputFormat } from "../options.ts";
import { printLine, type Shell } from "../shell.ts";
import { createLiveView } from "./live-view.ts";
import { createPlainView } from "./plain-view.ts";

/** Shows a job while it happens. */
export type JobView = {
  show(message: WatchJobResponse): void;
  /** Something about the watching itself. */
  note(text: string): void;
  /** Leaves the terminal as it was found. */
  end(): void;
};

const createJsonView = (shell: Shell): JobView => ({
  show: (message) => {
    printLine(shell.stdout, jsonLine(WatchJobResponseSchema, message));
  },
  note: () => {},
  end: () => {},
});

/** JSON lines for machines, a live bar on a terminal, plain lines anywhere else. */
export const createJobView = (format: OutputFormat, shell: Shell): JobView => {
  if (format === "json") return createJsonView(shell);
  return shell.stdout.isTTY && shell.stderr.isTTY
    ? createLiveView(shell.stderr)
    : createPlainView(shell.stdout, shell.stderr);
};
