import type { DeliveryRow } from "../jobs/delivery.ts";
import type { JobFault } from "../jobs/errors.ts";
import type { Answer } from "../outgoing/post.ts";

/** Reads the W3C Trace Context of the submission of the job that a notice tells of; empty if there is none. */
export type ReadSubmission = () => Promise<string>;

/** Follows notices on their way, if somebody traces. */
export type DeliveryTraces = {
  /**
   * One try. `send` is handed the headers by which the receiver can go on with the trace: none, if
   * nobody traces it.
   */
  follow(
    delivery: DeliveryRow,
    submission: ReadSubmission,
    send: (headers: Readonly<Record<string, string>>) => Promise<Answer>,
  ): Promise<Answer>;
  /**
   * The same for a notice that is a job: `submit` is handed the W3C Trace Context with which that job
   * goes on, empty if there is none.
   */
  submit(
    delivery: DeliveryRow,
    submission: ReadSubmission,
    submit: (traceparent: string) => Promise<JobFault | null>,
  ): Promise<JobFault | null>;
};

export const NO_TRACES: DeliveryTraces = {
  follow: async (_delivery, _submission, send) => await send({}),
  submit: async (_delivery, submission, submit) => await submit(await submission()),
};
