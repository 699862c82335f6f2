import type { MessageInitShape } from "@bufbuild/protobuf";

import type {
  WatchJobRequest,
  WatchJobResponseSchema,
} from "../../gen/millrace/v1/job_service_pb.ts";
import { JobFault, jobNotFound } from "../../jobs/errors.ts";
import type { JobId } from "../../jobs/ids.ts";
import type { JobRow, OutputRow } from "../../jobs/job.ts";
import { LIMITS } from "../../jobs/limits.ts";
import { invalidField } from "../convert/faults.ts";
import { toJob, toOutput } from "../convert/job.ts";
import { type Change, follow } from "../watch/follow.ts";
import {
  FROM_THE_START,
  isAhead,
  isOver,
  JOB_TOKEN,
  type JobCursor,
  type JobNews,
  newsOfCommit,
  newsOfRow,
} from "../watch/job-cursor.ts";
import { LATE, within } from "../watch/within.ts";
import { type Call, findJob, ownerOf } from "./api.ts";

type Message = MessageInitShape<typeof WatchJobResponseSchema>;

export const HEARTBEAT_MS = 15_000;

/** One read of what a watcher lacks: the row, and its output page by page. */
async function* readNews(
  call: Call,
  cursor: JobCursor,
  row: JobRow,
  skipOutput: boolean,
): AsyncGenerator<JobNews> {
  const { api, place } = call;
  let { nextSeq } = cursor;
  let rows: OutputRow[] = [];
  for (;;) {
    const left = skipOutput ? 0 : row.outputCount - nextSeq;
    if (left <= 0) break;
    const limit = Math.min(left, LIMITS.outputPage.max);
    rows = await api.jobs.output(place, row.id, nextSeq, limit);
    const last = rows.at(-1);
    // Retention removes much output in pieces, before the job itself.
    if (last === undefined) break;
    nextSeq = last.seq + 1;
    if (nextSeq >= row.outputCount) break;
    yield { job: null, output: rows, cursor: { revision: cursor.revision, nextSeq } };
    rows = [];
  }
  yield newsOfRow(cursor, row, rows);
}

/** What to send for a change, and the row behind it. */
async function* newsOf(
  call: Call,
  id: JobId,
  cursor: JobCursor,
  change: Change,
  skipOutput: boolean,
): AsyncGenerator<JobNews> {
  const news = change.kind === "commit" ? newsOfCommit(cursor, change.commit, id) : "gap";
  if (news === null) return;
  if (news !== "gap") {
    yield skipOutput ? { ...news, output: [] } : news;
    return;
  }
  const row = await call.api.jobs.find(call.place, id);
  if (row === null) throw jobNotFound(id);
  if (row.revision > cursor.revision) yield* readNews(call, cursor, row, skipOutput);
}

const openCursor = (call: Call, text: string, row: JobRow): JobCursor => {
  if (text === "") return FROM_THE_START;
  const { api, place } = call;
  const token = { field: "resume_token", text };
  const { jobId, createdAt, ...cursor } = api.seal.open(
    "watch-job",
    place.organizationId,
    token,
    JOB_TOKEN,
  );
  if (jobId !== row.id) {
    throw invalidField("resume_token", "was given out for another job.");
  }
  if (createdAt !== row.createdAt || isAhead(cursor, row)) {
    throw new JobFault(
      "RESUME_TOKEN_EXPIRED",
      "The resume token is of another history. Watch again without it.",
    );
  }
  return cursor;
};

/**
 * Subscribes first, sends what the store has second, and then every commit that it does not cover.
 * Ends after the final state and all output.
 */
export async function* watchJob(call: Call, request: WatchJobRequest): AsyncGenerator<Message> {
  const { api, context, place } = call;
  const { signal } = context;
  const first = await findJob(call, request.jobId);
  const { id, createdAt } = first;
  let cursor = openCursor(call, request.resumeToken, first);
  const follower = follow(() => ownerOf(call).feed.watchJob(place.organizationId, id), api.clock);
  // The generator's `finally` is not reached when a client dies while it does not read.
  signal.addEventListener("abort", follower.close, { once: true });
  const token = (): string =>
    api.seal.seal("watch-job", place.organizationId, { ...cursor, jobId: id, createdAt });
  try {
    let row = first;
    let greeted = false;
    let pending: Promise<Change> | undefined;
    for (;;) {
      pending ??= follower.next(signal);
      const change = await within(pending, HEARTBEAT_MS, api.clock);
      if (change === LATE) {
        yield { heartbeat: true, resumeToken: token() };
        continue;
      }
      pending = undefined;
      for await (const news of newsOf(call, id, cursor, change, request.skipOutput)) {
        cursor = news.cursor;
        row = news.job ?? row;
        greeted = true;
        yield {
          ...(news.job === null ? {} : { job: toJob(news.job, api.clock.now()) }),
          output: news.output.map(toOutput),
          resumeToken: token(),
        };
      }
      // A resumed watch that has missed nothing says so at once: the stream has begun.
      if (!greeted) yield { heartbeat: true, resumeToken: token() };
      greeted = true;
      if (isOver(cursor, row)) return;
    }
  } finally {
    follower.close();
  }
}
