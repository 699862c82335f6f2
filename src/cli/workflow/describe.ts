import { timestampMs } from "@bufbuild/protobuf/wkt";

import {
  type Workflow,
  WorkflowState,
  WorkflowStateSchema,
} from "../../gen/millrace/v1/workflow_pb.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { durationText } from "../job/describe.ts";

/* How workflows read on a terminal. Pure: from messages to texts. */

export const workflowStateName = (state: WorkflowState): string =>
  WorkflowStateSchema.value[state]?.localName ?? `STATE_${state}`;

export const workflowHasEnded = ({ state }: Workflow): boolean => state !== WorkflowState.RUNNING;

/** The exit code of a command that waited for the end of this workflow. */
export const workflowExitCode = ({ state }: Workflow): ExitCode => {
  if (state === WorkflowState.FAILED) return EXIT.jobFailed;
  return state === WorkflowState.CANCELLED ? EXIT.jobCancelled : EXIT.ok;
};

/** From its submission to its end, or until `now`. */
export const ageText = ({ createTime, endTime }: Workflow, now: number): string =>
  createTime === undefined
    ? ""
    : durationText((endTime === undefined ? now : timestampMs(endTime)) - timestampMs(createTime));

/** `7 of 9 steps, 1 failed, 1 cancelled` */
export const countsText = (workflow: Workflow): string => {
  const { stepCount, succeededCount, failedCount, cancelledCount } = workflow;
  const others = [
    [failedCount, "failed"],
    [cancelledCount, "cancelled"],
  ] as const;
  const told = others.filter(([count]) => count > 0).map(([count, how]) => `${count} ${how}`);
  return [`${succeededCount} of ${stepCount} steps succeeded`, ...told].join(", ");
};

/** One sentence that tells how a workflow ended, or where it stands. */
export const workflowOutcome = (workflow: Workflow, now: number): string => {
  const { id, state, cancelReason, cancelRequested } = workflow;
  const counts = countsText(workflow);
  switch (state) {
    case WorkflowState.SUCCEEDED:
      return `Workflow ${id} succeeded after ${ageText(workflow, now)}: ${counts}.`;
    case WorkflowState.FAILED:
      return `Workflow ${id} failed after ${ageText(workflow, now)}: ${counts}.`;
    case WorkflowState.CANCELLED: {
      const why = cancelReason === "" ? "" : ` (${cancelReason})`;
      return `Workflow ${id} was cancelled${why}: ${counts}.`;
    }
    default:
      return cancelRequested
        ? `Workflow ${id} is being stopped: ${counts}.`
        : `Workflow ${id} is ${workflowStateName(state)}: ${counts}.`;
  }
};
