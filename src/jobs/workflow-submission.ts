import type { Actor } from "./audit.ts";
import type { RequestRow } from "./job.ts";
import type { Submission } from "./submission.ts";
import type { EdgeRow, WorkflowRow, WorkflowStepRow } from "./workflow.ts";

/** A step, and the job that it is: its row carries the ids of the workflow and the name of the step. */
export type StepSubmission = { readonly step: WorkflowStepRow; readonly submission: Submission };

/**
 * A checked workflow: the rows as they would be written. Nothing in it waits for itself, every tie
 * is between two of its steps, and every binding is a tie too.
 */
export type WorkflowSubmission = {
  readonly workflow: WorkflowRow;
  /** The client chose the workflow's id: it may be taken. */
  readonly idIsChosen: boolean;
  /** By position. Their submissions have no requests of their own. */
  readonly steps: readonly StepSubmission[];
  readonly edges: readonly EdgeRow[];
  /** Names the workflow where that of a job names the job. */
  readonly request: RequestRow | null;
  readonly by: Actor;
};
