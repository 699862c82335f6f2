import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { ConnectError } from "@connectrpc/connect";

import type { Job } from "../../gen/millrace/v1/job_pb.ts";
import type { Connection } from "../connection.ts";
import { createPatience } from "../persistence.ts";
import type { Shell } from "../shell.ts";
import { hasEnded } from "./describe.ts";
import { requireJob } from "./require-job.ts";

/** One long poll; the server answers earlier when the job has ended. */
const POLL_MS = 30_000;

/** The job, once it has ended. Survives broken connections. */
export const waitForEnd = async (
  jobs: Connection["jobs"],
  jobId: string,
  shell: Shell,
  onBreak: (error: ConnectError) => void,
): Promise<Job> => {
  const patience = createPatience(shell.clock, shell.signal, onBreak);
  for (let answered = false; ;) {
    try {
      const answer = await jobs.waitJob(
        { jobId, maxWait: durationFromMs(POLL_MS) },
        { signal: shell.signal },
      );
      answered = true;
      patience.succeeded();
      const job = requireJob(answer);
      if (hasEnded(job.state)) return job;
    } catch (caught) {
      if (!answered) throw caught;
      await patience.failed(caught);
    }
  }
};
