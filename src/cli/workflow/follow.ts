import { Code, ConnectError } from "@connectrpc/connect";

import type {
  GetWorkflowResponse,
  WatchJobsResponse,
} from "../../gen/millrace/v1/job_service_pb.ts";
import type { Clock } from "../../runtime/clock.ts";
import { reasonOf } from "../api-failure.ts";
import type { Connection } from "../connection.ts";
import { hasEnded } from "../job/describe.ts";
import { untilSilence } from "../job/until-silence.ts";
import { createPatience } from "../persistence.ts";
import { workflowHasEnded } from "./describe.ts";

export type Following = {
  readonly jobs: Connection["jobs"];
  readonly workflowId: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The stream broke and is taken up again. */
  readonly onBreak: (error: ConnectError) => void;
};

/**
 * The jobs of a workflow as they change, each in its latest state, until all of it has ended, over
 * as many connections as it takes. Answers with the workflow at its end. @throws ConnectError that
 * will not pass
 */
export const followWorkflow = async function* (
  { jobs, workflowId, clock, signal, onBreak }: Following,
  stepCount: number,
): AsyncGenerator<WatchJobsResponse, GetWorkflowResponse> {
  const patience = createPatience(clock, signal, onBreak);
  const ended = new Set<string>();
  let resumeToken = "";
  let opened = false;
  for (;;) {
    try {
      const request = { filter: { workflowId }, resumeToken };
      const stream = untilSilence(clock, signal, (until) =>
        jobs.watchJobs(request, { signal: until }),
      );
      for await (const message of stream) {
        opened = true;
        patience.succeeded();
        if (message.resumeToken !== "") resumeToken = message.resumeToken;
        for (const { id, state } of message.jobs) {
          if (hasEnded(state)) ended.add(id);
          else ended.delete(id);
        }
        if (message.jobs.length > 0) yield message;
        if (ended.size < stepCount) continue;
        const whole = await jobs.getWorkflow({ workflowId }, { signal });
        if (whole.workflow !== undefined && workflowHasEnded(whole.workflow)) return whole;
      }
      throw new ConnectError("the stream ended before the workflow", Code.Unavailable);
    } catch (caught) {
      if (caught instanceof ConnectError && reasonOf(caught) === "RESUME_TOKEN_EXPIRED") {
        if (resumeToken === "") throw caught;
        resumeToken = "";
        continue;
      }
      if (!opened) throw caught;
      await patience.failed(caught);
    }
  }
};
