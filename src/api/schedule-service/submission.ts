import { create } from "@bufbuild/protobuf";

import type { JobSpec } from "../../gen/millrace/v1/job_pb.ts";
import { SubmitJobRequestSchema } from "../../gen/millrace/v1/job_service_pb.ts";
import type { UserCaller } from "../../identity/caller.ts";
import { permittedTo } from "../../jobs/abilities.ts";
import { SERVER } from "../../jobs/audit.ts";
import { JobFault, type Reason } from "../../jobs/errors.ts";
import type { UserId } from "../../jobs/ids.ts";
import type { ScheduleRow } from "../../jobs/schedule.ts";
import type { Submission } from "../../jobs/submission.ts";
import type { UserRow } from "../../store/store.ts";
import type { Prepared } from "../../schedules/firing.ts";
import { jobSpecOf } from "../convert/schedule.ts";
import { prepareFor } from "../job-service/prepare.ts";
import type { ScheduleApi } from "./api.ts";

type Subject = Pick<ScheduleRow, "organizationId" | "id" | "creatorId" | "runAs">;

/** Nobody can submit this until somebody changes the users, or the schedule. */
const FOR_GOOD: ReadonlySet<Reason> = new Set(["PERMISSION_DENIED"]);

const denied = (message: string): JobFault => new JobFault("PERMISSION_DENIED", message);

/** @throws JobFault PERMISSION_DENIED */
const activeUser = async (
  { jobs }: ScheduleApi,
  { organizationId }: Subject,
  id: UserId,
  who: string,
): Promise<UserRow> => {
  const known = await jobs.users.find(organizationId, id);
  if (known === null) throw denied(`The user ${who}, ${id}, is no more.`);
  if (known.row.disabledAt !== null) throw denied(`The user ${who}, ${id}, is disabled.`);
  return known.row;
};

/**
 * Whoever made the schedule, as one who submits now: by what his user may do, whatever token he had.
 * @throws JobFault PERMISSION_DENIED
 */
const creatorOf = async (api: ScheduleApi, subject: Subject): Promise<UserCaller> => {
  const { organizationId, creatorId } = subject;
  const caller = (permissions: UserCaller["permissions"]): UserCaller => ({
    kind: "user",
    organizationId,
    userId: creatorId,
    permissions,
    tokenId: "",
    attempt: null,
  });
  // Made by a token of the organization itself: what it was allowed then holds.
  if (creatorId === "") return caller(new Set(["jobs:create", "jobs:run-as"]));
  const user = await activeUser(api, subject, creatorId, "who made it");
  const permissions = permittedTo(user.permissions, null);
  if (permissions.has("jobs:create")) return caller(permissions);
  throw denied(`The user who made it, ${creatorId}, has no jobs:create any more.`);
};

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
  const caller = await creatorOf(api, subject);
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
      const { runAs, creatorId } = schedule;
      if (runAs !== "" && runAs !== creatorId)
        await activeUser(api, schedule, runAs, "for whom its jobs act");
      const submission = await submissionOf(api, schedule, jobSpecOf(schedule));
      return { kind: "job", submission };
    } catch (caught) {
      const fault = JobFault.from(caught);
      if (FOR_GOOD.has(fault.reason)) return { kind: "may-not", reason: fault.message };
      if (fault.reason === "SHARD_UNAVAILABLE") throw fault;
      return { kind: "refused", fault };
    }
  };
