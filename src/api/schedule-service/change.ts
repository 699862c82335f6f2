import type { MessageInitShape } from "@bufbuild/protobuf";

import type {
  CreateScheduleRequest,
  CreateScheduleResponseSchema,
  DeleteScheduleRequest,
  PauseScheduleRequest,
  PauseScheduleResponseSchema,
  ResumeScheduleRequest,
  ResumeScheduleResponseSchema,
  ScheduleSpec,
  TriggerScheduleRequest,
  TriggerScheduleResponseSchema,
  UpdateScheduleRequest,
  UpdateScheduleResponseSchema,
} from "../../gen/millrace/v1/schedule_service_pb.ts";
import { JobFault } from "../../jobs/errors.ts";
import type { UserId } from "../../jobs/ids.ts";
import { LIMITS } from "../../jobs/limits.ts";
import type { ScheduleRow } from "../../jobs/schedule.ts";
import { nextTime } from "../../schedules/cron.ts";
import { triggerSchedule } from "../../shard/commands/fire.ts";
import {
  createSchedule as createCommand,
  deleteSchedule as deleteCommand,
  pauseSchedule as pauseCommand,
  resumeSchedule as resumeCommand,
  type ScheduleFacts,
  updateSchedule as updateCommand,
} from "../../shard/commands/schedule.ts";
import { orThrow } from "../../shard/refusals.ts";
import { collectFaults, type Faults } from "../convert/faults.ts";
import { text } from "../convert/fields.ts";
import { toJob } from "../convert/job.ts";
import {
  type CheckedSchedule,
  checkSchedule,
  checkTiming,
  jobSpecOf,
  jobSpecText,
  toSchedule,
} from "../convert/schedule.ts";
import { actorOf, ownerOf } from "../job-service/api.ts";
import { findSchedule, SCHEDULE_ID, type ScheduleApi, type ScheduleCall } from "./api.ts";
import { submissionOf } from "./submission.ts";

const checked = (
  faults: Faults,
  spec: ScheduleSpec | undefined,
  call: ScheduleCall,
): CheckedSchedule => {
  const schedule = spec && checkSchedule(faults.inside("spec."), spec, call.api.clock.now());
  if (spec === undefined) faults.add("spec", "is missing.");
  faults.throwIfAny();
  if (schedule === undefined || schedule === null) {
    throw new Error("a schedule without a job and without a fault");
  }
  return schedule;
};

/**
 * For whom the jobs act: whom the spec names, else who made the schedule. Whoever writes or triggers
 * it must be that user himself, or be allowed to act for others. @throws JobFault PERMISSION_DENIED
 */
const runAsOf = ({ caller }: ScheduleCall, named: string, creatorId: UserId | ""): UserId | "" => {
  const runAs = named === "" ? creatorId : (named as UserId);
  if (runAs === caller.userId || caller.permissions.has("jobs:run-as")) return runAs;
  throw new JobFault(
    "PERMISSION_DENIED",
    "This needs jobs:run-as: the jobs of this schedule would act for another user.",
    { metadata: { needs: "jobs:run-as" } },
  );
};

/** Everything that would keep it from firing now is said now. */
const factsOf = async (
  call: ScheduleCall,
  subject: Pick<ScheduleRow, "organizationId" | "id" | "creatorId">,
  { job, ...timing }: CheckedSchedule,
): Promise<ScheduleFacts> => {
  const runAs = runAsOf(call, job.runAs, subject.creatorId);
  const api: ScheduleApi = { ...call, jobs: call.api };
  // The job is at `spec.job` of the request: toSubmission speaks of `spec`.
  await submissionOf(api, { ...subject, runAs }, job).catch(atJob);
  const faults = collectFaults("spec.");
  const spec = jobSpecText(faults, { ...job, runAs });
  faults.throwIfAny();
  return { ...timing, runAs, spec };
};

const atJob = (caught: unknown): never => {
  if (!(caught instanceof JobFault) || caught.faults.length === 0) throw caught;
  const inJob = (path: string): string => path.replace(/^spec\./, "spec.job.");
  throw new JobFault(caught.reason, inJob(caught.message), {
    metadata: caught.metadata,
    faults: caught.faults.map(({ field, description }) => ({ field: inJob(field), description })),
    cause: caught,
  });
};

/** Not exact while many are made at once: a limit against accidents. */
const requireRoom = async ({ schedules, place }: ScheduleCall): Promise<void> => {
  if ((await schedules.count(place)) < LIMITS.schedules) return;
  throw new JobFault(
    "TOO_MANY_SCHEDULES",
    `The organization has ${LIMITS.schedules} schedules, which is the most. Delete some.`,
    { metadata: { max_schedules: String(LIMITS.schedules) } },
  );
};

export const createSchedule = async (
  call: ScheduleCall,
  request: CreateScheduleRequest,
): Promise<MessageInitShape<typeof CreateScheduleResponseSchema>> => {
  const { api, caller, place } = call;
  const faults = collectFaults();
  const id = request.scheduleId === "" ? api.newId() : request.scheduleId;
  if (!SCHEDULE_ID.test(id)) {
    const most = LIMITS.scheduleIdLength;
    faults.add("schedule_id", `must be 1 to ${most} of A-Z a-z 0-9 . _ -, or empty.`);
  }
  const schedule = checked(faults, request.spec, call);
  const { organizationId } = place;
  const subject = { organizationId, id, creatorId: caller.userId };
  const facts = await factsOf(call, subject, schedule);
  const now = api.clock.now();
  const row: ScheduleRow = {
    ...subject,
    ...facts,
    pausedAt: request.paused ? now : null,
    pauseReason: "",
    nextFireAt: request.paused ? null : nextTime(facts, now),
    pendingFrom: null,
    lastFireAt: null,
    lastJobId: "",
    lastError: "",
    fireCount: 0,
    version: 0,
    createdAt: now,
    changedAt: now,
  };
  if (request.validateOnly) return { schedule: toSchedule(row, now) };
  await requireRoom(call);
  const made = await ownerOf(call).perform(createCommand(row, nextTime, actorOf(call)));
  return { schedule: toSchedule(orThrow(made), now) };
};

export const updateSchedule = async (
  call: ScheduleCall,
  { scheduleId, spec, version }: UpdateScheduleRequest,
): Promise<MessageInitShape<typeof UpdateScheduleResponseSchema>> => {
  const read = await findSchedule(call, scheduleId);
  const faults = collectFaults();
  if (version < 0n) faults.add("version", `must be 0 or more; it is ${version}.`);
  const facts = await factsOf(call, read, checked(faults, spec, call));
  const row = orThrow(
    await ownerOf(call).perform(
      updateCommand(read, Number(version), facts, nextTime, actorOf(call)),
    ),
  );
  return { schedule: toSchedule(row, call.api.clock.now()) };
};

export const pauseSchedule = async (
  call: ScheduleCall,
  request: PauseScheduleRequest,
): Promise<MessageInitShape<typeof PauseScheduleResponseSchema>> => {
  const faults = collectFaults();
  const reason = text(faults, "reason", request.reason, LIMITS.cancelReasonLength);
  faults.throwIfAny();
  const read = await findSchedule(call, request.scheduleId);
  const row = orThrow(await ownerOf(call).perform(pauseCommand(read, reason, actorOf(call))));
  return { schedule: toSchedule(row, call.api.clock.now()) };
};

export const resumeSchedule = async (
  call: ScheduleCall,
  { scheduleId }: ResumeScheduleRequest,
): Promise<MessageInitShape<typeof ResumeScheduleResponseSchema>> => {
  const read = await findSchedule(call, scheduleId);
  // What a server knew when the schedule was made may be no time zone to this one: a command that
  // throws would cost the shard a reload.
  const faults = collectFaults("schedule.spec.");
  checkTiming(faults, read, call.api.clock.now());
  faults.throwIfAny();
  const row = orThrow(await ownerOf(call).perform(resumeCommand(read, nextTime, actorOf(call))));
  return { schedule: toSchedule(row, call.api.clock.now()) };
};

export const triggerNow = async (
  call: ScheduleCall,
  { scheduleId }: TriggerScheduleRequest,
): Promise<MessageInitShape<typeof TriggerScheduleResponseSchema>> => {
  const read = await findSchedule(call, scheduleId);
  runAsOf(call, read.runAs, read.creatorId);
  const submission = await submissionOf({ ...call, jobs: call.api }, read, jobSpecOf(read));
  const by = actorOf(call);
  const command = triggerSchedule(read, { ...submission, by }, by);
  const job = orThrow(await ownerOf(call).perform(command));
  return { job: toJob(job, call.api.clock.now()) };
};

export const deleteSchedule = async (
  call: ScheduleCall,
  { scheduleId }: DeleteScheduleRequest,
): Promise<Record<string, never>> => {
  const read = await findSchedule(call, scheduleId);
  orThrow(await ownerOf(call).perform(deleteCommand(read, actorOf(call))));
  return {};
};
