import type { Job } from "../../gen/millrace/v1/job_pb.ts";
import { EXIT } from "../exit-codes.ts";
import { CliFailure } from "../failure.ts";

/** The job of an answer that always carries one. */
export const requireJob = (answer: { readonly job?: Job | undefined }): Job => {
  if (answer.job !== undefined) return answer.job;
  throw new CliFailure(EXIT.refused, "The server's answer holds no job.", {
    next: "Is it a Millrace server, and not newer than this command?",
  });
};
