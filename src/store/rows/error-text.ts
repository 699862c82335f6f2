import type { JobError } from "../../jobs/job.ts";

/** The error of an attempt is one JSON text: nothing is ever asked of its parts. */
export const textOfError = (error: JobError | null): string | null =>
  error === null ? null : JSON.stringify(error);

export const errorOf = (text: string | null): JobError | null =>
  text === null ? null : (JSON.parse(text) as JobError);
