import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";

import {
  JobUpdateService,
  type UpdateJobsRequest,
  type UpdateJobsResponse_OutcomeSchema,
  type UpdateJobsResponseSchema,
} from "../../gen/millrace/internal/v1/job_update_service_pb.ts";
import { JobFault } from "../../jobs/errors.ts";
import { LIMITS } from "../../jobs/limits.ts";
import type { AttemptReport } from "../../jobs/report.ts";
import type { ReportOutcome, ShardOwner, ShardRouter } from "../../shard/owner.ts";
import { collectFaults } from "../convert/faults.ts";
import { toStatus } from "../errors.ts";
import { answered } from "./answered.ts";
import { inRequestSpan } from "./request-span.ts";
import { toReport } from "./report.ts";
import { type UpdateApi, updateJob } from "./update-job.ts";

/** What is asked of a part of the service; a refusal of all of it is one of each report in it. */
type Part = {
  readonly owner: ShardOwner;
  readonly indexes: number[];
  readonly reports: AttemptReport[];
};

const orFault = <T>(decide: () => T): T | JobFault => {
  try {
    return decide();
  } catch (caught) {
    if (caught instanceof JobFault) return caught;
    throw caught;
  }
};

const tell = (outcome: ReportOutcome): MessageInitShape<typeof UpdateJobsResponse_OutcomeSchema> =>
  outcome instanceof JobFault
    ? { error: toStatus(outcome) }
    : { cancelRequested: outcome.cancelRequested };

const askPart = async ({ owner, reports }: Part): Promise<ReportOutcome[]> => {
  try {
    return await owner.report(reports);
  } catch (caught) {
    if (caught instanceof JobFault) return reports.map(() => caught);
    throw caught;
  }
};

/** Each report is applied or refused on its own; the reports of one attempt keep their order. */
export const updateJobs = async (
  router: ShardRouter,
  { updates }: UpdateJobsRequest,
): Promise<MessageInitShape<typeof UpdateJobsResponseSchema>> => {
  const faults = collectFaults();
  if (updates.length > LIMITS.updateBatch) {
    faults.add("updates", `must be at most ${LIMITS.updateBatch}; there are ${updates.length}.`);
  }
  faults.throwIfAny();
  const outcomes: (ReportOutcome | undefined)[] = updates.map(() => undefined);
  const parts = new Map<ShardOwner, Part>();
  updates.forEach((update, index) => {
    const found = orFault(() => {
      const report = toReport(update, `updates[${index}].`);
      return { report, owner: router.ownerOf(report.ref.organizationId) };
    });
    if (found instanceof JobFault) {
      outcomes[index] = found;
      return;
    }
    const { owner, report } = found;
    const part = parts.get(owner) ?? { owner, indexes: [], reports: [] };
    parts.set(owner, part);
    part.indexes.push(index);
    part.reports.push(report);
  });
  await Promise.all(
    [...parts.values()].map(async (part) => {
      const answers = await askPart(part);
      part.indexes.forEach((index, at) => {
        outcomes[index] = answers[at];
      });
    }),
  );
  return {
    outcomes: outcomes.map((outcome) => {
      if (outcome === undefined) throw new Error("a report was left without an outcome");
      return tell(outcome);
    }),
  };
};

/** millrace.internal.v1.JobUpdateService. */
export const jobUpdateServiceRoutes = (router: ConnectRouter, api: UpdateApi): void => {
  router.service(JobUpdateService, {
    updateJob: async (request, context) => await updateJob(api, request, context),
    updateJobs: (requests, { signal }) =>
      answered(
        requests,
        signal,
        async (request) =>
          await inRequestSpan(
            api.tracer,
            "JobUpdateService/UpdateJobs",
            request.traceparent,
            async () => await updateJobs(api.router, request),
          ),
      ),
  });
};
