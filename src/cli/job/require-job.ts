import type { Job } from "../../gen/millrace/v1/job_pb.ts";
import { requireAnswer } from "../require-answer.ts";

/** The job of an answer that always carries one. */
export const requireJob = (answer: { readonly job?: Job | undefined }): Job =>
  requireAnswer(answer.job, "job");
