import { Code, ConnectError } from "@connectrpc/connect";

import type { Job } from "../../gen/millrace/v1/job_pb.ts";
import type { WatchJobResponse } from "../../gen/millrace/v1/job_service_pb.ts";
import type { Clock } from "../../runtime/clock.ts";
import { reasonOf } from "../api-failure.ts";
import type { Connection } from "../connection.ts";
import { createPatience } from "../persistence.ts";
import { hasEnded } from "./describe.ts";
import { untilSilence } from "./until-silence.ts";

export type Following = {
  readonly jobs: Connection["jobs"];
  readonly jobId: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The stream broke and is taken up again. */
  readonly onBreak: (error: ConnectError) => void;
};

/**
 * Every change of a job until it has ended, over as many connections as it takes: a broken stream is
 * taken up with its resume token, so nothing is missed, and no output row comes twice. Heartbeats
 * are left out. Answers with the ended job. @throws ConnectError that will not pass
 */
export const follow = async function* (
  following: Following,
): AsyncGenerator<WatchJobResponse, Job> {
  const { jobs, jobId, clock, signal } = following;
  const patience = createPatience(clock, signal, following.onBreak);
  let resumeToken = "";
  let nextSeq = 0n;
  let opened = false;
  for (;;) {
    let ended: Job | null = null;
    try {
      const request = { jobId, resumeToken };
      const stream = untilSilence(clock, signal, (until) =>
        jobs.watchJob(request, { signal: until }),
      );
      for await (const message of stream) {
        opened = true;
        patience.succeeded();
        if (message.resumeToken !== "") resumeToken = message.resumeToken;
        const output = message.output.filter((row) => row.seq >= nextSeq);
        nextSeq = (output.at(-1)?.seq ?? nextSeq - 1n) + 1n;
        if (message.job !== undefined && hasEnded(message.job.state)) ended = message.job;
        if (message.job !== undefined || output.length > 0) yield { ...message, output };
      }
      if (ended !== null) return ended;
      throw new ConnectError("the stream ended before the job", Code.Unavailable);
    } catch (caught) {
      if (caught instanceof ConnectError && reasonOf(caught) === "RESUME_TOKEN_EXPIRED") {
        // Begin again with a snapshot; rows that were shown are left out by their numbers.
        if (resumeToken === "") throw caught;
        resumeToken = "";
        continue;
      }
      if (!opened) throw caught;
      await patience.failed(caught);
    }
  }
};
