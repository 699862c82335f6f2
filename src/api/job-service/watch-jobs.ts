import type { MessageInitShape } from "@bufbuild/protobuf";

import type {
  WatchJobsRequest,
  WatchJobsResponseSchema,
} from "../../gen/millrace/v1/job_service_pb.ts";
import { JobFault } from "../../jobs/errors.ts";
import type { JobRow } from "../../jobs/job.ts";
import type { JobFilter } from "../../store/store.ts";
import { collectFaults, invalidField } from "../convert/faults.ts";
import { checkFilter, filterMark, matches } from "../convert/filter.ts";
import { toJob } from "../convert/job.ts";
import { type Change, follow } from "../watch/follow.ts";
import {
  coveredThrough,
  newsOfCommit,
  type OrganizationCursor,
  type Position,
  POSITION_TOKEN,
  startAt,
} from "../watch/organization-cursor.ts";
import { LATE, within } from "../watch/within.ts";
import { type Call, ownerOf } from "./api.ts";
import { catchUp, type Sending, snapshot } from "./jobs-since.ts";
import { HEARTBEAT_MS } from "./watch-job.ts";

type Message = MessageInitShape<typeof WatchJobsResponseSchema>;

const openPosition = async (call: Call, text: string, mark: string): Promise<Position> => {
  const { api, place } = call;
  const { filter, ...position } = api.seal.open(
    "watch-jobs",
    place.organizationId,
    { field: "resume_token", text },
    POSITION_TOKEN,
  );
  if (filter !== mark) {
    throw invalidField("resume_token", "was given out for another filter.");
  }
  const { current, compacted } = await api.jobs.revision(place.shardId);
  // Jobs removed since would be missing without a word; a future one is of another history.
  if (position.revision <= compacted || position.revision > current + 1) {
    throw new JobFault(
      "RESUME_TOKEN_EXPIRED",
      "The resume token is too old. Watch again without it.",
      {
        metadata: { oldest_revision: String(compacted + 1) },
      },
    );
  }
  return position;
};

/** What to send for a change. */
async function* newsOf(
  call: Call,
  filter: JobFilter,
  cursor: OrganizationCursor,
  change: Change,
): AsyncGenerator<Sending> {
  if (change.kind === "reread") {
    yield* catchUp(call, filter, cursor);
    return;
  }
  const news = newsOfCommit(cursor, change.commit);
  if (news !== null) yield { ...news, jobs: news.jobs.filter((job) => matches(filter, job)) };
}

/** Subscribes first, then sends a snapshot or what was missed, then every commit. Ends with the call only. */
export async function* watchJobs(call: Call, request: WatchJobsRequest): AsyncGenerator<Message> {
  const { api, context, caller, place } = call;
  const { signal } = context;
  const faults = collectFaults();
  const filter = checkFilter(faults.inside("filter."), request.filter, caller);
  faults.throwIfAny();
  const mark = filterMark(filter);
  const resumed =
    request.resumeToken === "" ? null : await openPosition(call, request.resumeToken, mark);

  const follower = follow(
    () => ownerOf(call).feed.watchOrganization(place.organizationId),
    api.clock,
  );
  // The generator's `finally` is not reached when a client dies while it does not read.
  signal.addEventListener("abort", follower.close, { once: true });
  let sentAt = api.clock.monotonic();
  const message = (
    jobs: readonly JobRow[],
    cursor: OrganizationCursor | null,
    extra: Message,
  ): Message => {
    const now = api.clock.now();
    sentAt = api.clock.monotonic();
    return {
      jobs: jobs.map((job) => toJob(job, now)),
      resumeToken:
        cursor === null
          ? ""
          : api.seal.seal("watch-jobs", place.organizationId, { ...cursor.position, filter: mark }),
      ...extra,
    };
  };

  try {
    follower.open();
    let cursor: OrganizationCursor;
    if (resumed !== null) {
      cursor = startAt(resumed);
      for await (const { jobs, cursor: next } of catchUp(call, filter, cursor)) {
        cursor = next;
        yield message(jobs, cursor, { heartbeat: jobs.length === 0 });
      }
    } else if (request.skipSnapshot) {
      cursor = startAt(coveredThrough((await api.jobs.revision(place.shardId)).current));
      yield message([], cursor, { snapshotComplete: true });
    } else {
      cursor = startAt(coveredThrough(0));
      for await (const { jobs, cursor: next, complete } of snapshot(call, filter)) {
        cursor = next;
        yield message(jobs, complete ? cursor : null, { snapshotComplete: complete });
      }
    }

    let pending: Promise<Change> | undefined;
    for (;;) {
      pending ??= follower.next(signal);
      const left = Math.max(0, sentAt + HEARTBEAT_MS - api.clock.monotonic());
      const change = await within(pending, left, api.clock);
      if (change !== LATE) pending = undefined;
      // A quiet organization's token grows old with the rest of its shard: a heartbeat looks anew.
      for await (const { jobs, cursor: next } of newsOf(
        call,
        filter,
        cursor,
        change === LATE ? { kind: "reread" } : change,
      )) {
        cursor = next;
        if (jobs.length > 0) yield message(jobs, cursor, {});
      }
      if (api.clock.monotonic() >= sentAt + HEARTBEAT_MS)
        yield message([], cursor, { heartbeat: true });
    }
  } finally {
    follower.close();
  }
}
