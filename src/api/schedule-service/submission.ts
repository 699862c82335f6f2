import { create } from "@bufbuild/protobuf";

import type { JobSpec } from "../../gen/millrace/v1/job_pb.ts";
import { SubmitJobRequestSchema } from "../../gen/millrace/v1/job_service_pb.ts";
import { SERVER } from "../../jobs/audit.ts";
import { JobFault, type Reason } from "../../jobs/errors.ts";
import type { ScheduleRow } from "../../jobs/schedule.ts";
import type { Submission } from "../../jobs/submission.ts";
import type { Prepared } from "../../schedules/firing.ts";
import { jobSpecOf } from "../convert/schedule.ts";
import { prepareFor } from "../job-service/prepare.ts";
import { activeUser, standingCaller } from "../job-service/standing-caller.ts";
import type { ScheduleApi } from "./api.ts";

type Subject = Pick<ScheduleRow, "organizationId" | "id" | "creatorId" | "runAs">;

/** Nobody can submit this until somebody changes the users, or the schedule. */
const FOR_GOOD: ReadonlySet<Reason> = new Set(["PERMISSION_DENIED"]);

/**
 * The job that the schedule submits, checked as any other.
 * @throws JobFault as SubmitJob, and PERMISSION_DENIED if its users may not any more
 */
export const submissionOf = async (
  api: ScheduleApi,
  subject: Subject,
  spec: JobSpec,
  at = "",
): Promise<Submission> => {
  const { organizationId, creatorId } = subject;
  const caller = await standingCaller(api.jobs.users, organizationId, creatorId);
  const request = create(SubmitJobRequestSchema, {
    spec: {
      ...spec,
      name: spec.name === "" ? subject.id : spec.name,
      runAs: subject.runAs,
    },
  });
  const submitter = { caller, by: SERVER, traceparent: "" };
  const submission = await prepareFor(api.jobs, submitter, request, at);
  return { ...submission, job: { ...submission.job, scheduleId: subject.id } };
};

/** For the server, which fires. @throws what is no refusal, or passes with the database's trouble */
export const prepareFiring =
  (api: ScheduleApi) =>
  async (schedule: ScheduleRow): Promise<Prepared> => {
    try {
      const { organizationId, runAs, creatorId } = schedule;
      if (runAs !== "" && runAs !== creatorId)
        await activeUser(api.jobs.users, organizationId, runAs, "for whom its jobs act");
      const submission = await submissionOf(api, schedule, jobSpecOf(schedule));
      return { kind: "job", submission };
    } catch (caught) {
      const fault = JobFault.from(caught);
      if (FOR_GOOD.has(fault.reason)) return { kind: "may-not", reason: fault.message };
      if (fault.reason === "SHARD_UNAVAILABLE") throw fault;
      return { kind: "refused", fault };
    }
  };
