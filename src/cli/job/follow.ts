import { Code, ConnectError } from "@connectrpc/connect";

import type { Job } from "../../gen/millrace/v1/job_pb.ts";
import type { WatchJobResponse } from "../../gen/millrace/v1/job_service_pb.ts";
import type { Clock } from "../../runtime/clock.ts";
import { reasonOf } from "../api-failure.ts";
import type { Connection } from "../connection.ts";
import { createPatience } from "../persistence.ts";
import { hasEnded } from "./describe.ts";

/** Heartbeats come every 15 s: a stream that is silent for longer is dead, though nobody said so. */
const SILENCE_MS = 45_000;

export type Following = {
  readonly jobs: Connection["jobs"];
  readonly jobId: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The stream broke and is taken up again. */
  readonly onBreak: (error: ConnectError) => void;
};

/** One stream, ended by the watchdog when it falls silent. */
const openStream = async function* (
  { jobs, jobId, clock, signal }: Following,
  resumeToken: string,
): AsyncGenerator<WatchJobResponse> {
  const silence = new AbortController();
  const listen = (): (() => void) =>
    clock.after(SILENCE_MS, () => {
      silence.abort(new ConnectError("the server fell silent", Code.Unavailable));
    });
  let stopListening = listen();
  try {
    const stream = jobs.watchJob(
      { jobId, resumeToken },
      { signal: AbortSignal.any([signal, silence.signal]) },
    );
    for await (const message of stream) {
      stopListening();
      stopListening = listen();
      yield message;
    }
  } finally {
    stopListening();
    // Leaving a `for await` does not end the call itself.
    silence.abort();
  }
};

/**
 * Every change of a job until it has ended, over as many connections as it takes: a broken stream is
 * taken up with its resume token, so nothing is missed, and no output row comes twice. Heartbeats
 * are left out. Answers with the ended job. @throws ConnectError that will not pass
 */
export const follow = async function* (
  following: Following,
): AsyncGenerator<WatchJobResponse, Job> {
  const patience = createPatience(following.clock, following.signal, following.onBreak);
  let resumeToken = "";
  let nextSeq = 0n;
  let opened = false;
  for (;;) {
    let ended: Job | null = null;
    try {
      for await (const message of openStream(following, resumeToken)) {
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
