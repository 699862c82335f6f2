import type { Workflow } from "../../gen/millrace/v1/workflow_pb.ts";
import { EXIT } from "../exit-codes.ts";
import { CliFailure } from "../failure.ts";

/** The workflow of an answer that always carries one. */
export const requireWorkflow = (answer: { readonly workflow?: Workflow | undefined }): Workflow => {
  if (answer.workflow !== undefined) return answer.workflow;
  throw new CliFailure(EXIT.refused, "The server's answer holds no workflow.", {
    next: "Is it a Millrace server, and not newer than this command?",
  });
};
