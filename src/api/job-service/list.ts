import type { MessageInitShape } from "@bufbuild/protobuf";
import { z } from "zod";

import type {
  ListJobsRequest,
  ListJobsResponseSchema,
} from "../../gen/millrace/v1/job_service_pb.ts";
import type { JobId } from "../../jobs/ids.ts";
import { LIMITS } from "../../jobs/limits.ts";
import { collectFaults, invalidField } from "../convert/faults.ts";
import { numberWithin } from "../convert/fields.ts";
import { checkFilter, filterMark } from "../convert/filter.ts";
import { toJob } from "../convert/job.ts";
import type { Call } from "./api.ts";

/** Where a page ended, and of which filter. Pages go by the id, so that new jobs move none. */
const PAGE = z.object({ before: z.string(), filter: z.string() });

const FIELD = "page_token";

const openPage = (call: Call, text: string, mark: string): JobId | null => {
  if (text === "") return null;
  const { api, place } = call;
  const page = api.seal.open("page", place.organizationId, { field: FIELD, text }, PAGE);
  if (page.filter === mark) return page.before as JobId;
  throw invalidField(FIELD, "was given out for another filter.");
};

export const listJobs = async (
  call: Call,
  request: ListJobsRequest,
): Promise<MessageInitShape<typeof ListJobsResponseSchema>> => {
  const { api, place, caller } = call;
  const faults = collectFaults();
  const filter = checkFilter(faults.inside("filter."), request.filter, caller);
  const { max, default: standard } = LIMITS.pageSize;
  const asked = numberWithin(faults, "page_size", request.pageSize, { min: 0, max });
  faults.throwIfAny();
  const size = asked === 0 ? standard : asked;
  const mark = filterMark(filter);
  const before = openPage(call, request.pageToken, mark);
  // One more than the page tells whether there is another.
  const [rows, total] = await Promise.all([
    api.jobs.list(place, filter, before, size + 1),
    request.includeTotal ? api.jobs.count(place, filter) : null,
  ]);
  const page = rows.slice(0, size);
  const last = page.at(-1);
  const more = rows.length > size && last !== undefined;
  const now = api.clock.now();
  return {
    jobs: page.map((row) => toJob(row, now)),
    nextPageToken: more
      ? api.seal.seal("page", place.organizationId, { before: last.id, filter: mark })
      : "",
    ...(total === null ? {} : { total: BigInt(total) }),
  };
};
