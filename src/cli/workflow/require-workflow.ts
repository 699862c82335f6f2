import type { Workflow } from "../../gen/millrace/v1/workflow_pb.ts";
import { requireAnswer } from "../require-answer.ts";

/** The workflow of an answer that always carries one. */
export const requireWorkflow = (answer: { readonly workflow?: Workflow | undefined }): Workflow =>
  requireAnswer(answer.workflow, "workflow");
