import type { DescMethod } from "@bufbuild/protobuf";

import type { Ability, Role } from "../jobs/abilities.ts";
import type { TokenKind } from "../store/store.ts";

/** What kind of token is shown. `job`: an attempt's own, which speaks for a user. */
export type CallerKind = TokenKind | "job";

/** Who may call a method at all. Which jobs, users or tokens they may touch is the handler's. */
export type Access = {
  /**
   * Kinds of tokens that are let in. A job's own token is not where something would outlive its
   * attempt: it makes no schedules and no tokens, changes nobody, and opens no streams.
   */
  readonly kinds: readonly CallerKind[];
  /** Of a user and a job one of these is asked; empty: nothing but to be known. */
  readonly oneOf: readonly (Ability | Role)[];
};

const users = (...oneOf: Access["oneOf"]): Access => ({ kinds: ["user"], oneOf });
const usersAndJobs = (...oneOf: Access["oneOf"]): Access => ({ kinds: ["user", "job"], oneOf });
const usersAndOperators = (...oneOf: Access["oneOf"]): Access => ({
  kinds: ["user", "operator"],
  oneOf,
});
const RUNNERS: Access = { kinds: ["runner"], oneOf: [] };
const OPERATORS: Access = { kinds: ["operator"], oneOf: [] };

/**
 * One row for every method of our own services: the gate refuses a method without one, and
 * test/api/access.test.ts walks all of them with every kind of caller.
 */
export const ACCESS: Readonly<Record<string, Access>> = {
  "millrace.v1.JobService/SubmitJob": usersAndJobs("jobs:create"),
  "millrace.v1.JobService/SubmitJobs": usersAndJobs("jobs:create"),
  "millrace.v1.JobService/RunJob": usersAndJobs("jobs:create"),
  "millrace.v1.JobService/GetJob": usersAndJobs("jobs:view"),
  "millrace.v1.JobService/ListJobs": usersAndJobs("jobs:view"),
  "millrace.v1.JobService/GetJobInput": usersAndJobs("jobs:view"),
  "millrace.v1.JobService/GetJobResult": usersAndJobs("jobs:view"),
  "millrace.v1.JobService/CancelJob": usersAndJobs("jobs:cancel"),
  "millrace.v1.JobService/RetryJob": usersAndJobs("jobs:retry"),
  "millrace.v1.JobService/ListJobOutput": usersAndJobs("jobs:view"),
  "millrace.v1.JobService/ListJobAttempts": usersAndJobs("jobs:view"),
  "millrace.v1.JobService/WatchJob": users("jobs:view"),
  "millrace.v1.JobService/WatchJobs": users("jobs:view"),
  "millrace.v1.JobService/WaitJob": usersAndJobs("jobs:view"),
  "millrace.v1.JobService/SubmitWorkflow": users("jobs:create"),
  "millrace.v1.JobService/GetWorkflow": usersAndJobs("jobs:view"),
  "millrace.v1.JobService/ListWorkflows": usersAndJobs("jobs:view"),
  "millrace.v1.JobService/CancelWorkflow": users("jobs:cancel"),
  "millrace.v1.JobService/RetryWorkflow": users("jobs:retry"),

  "millrace.v1.OrganizationService/CreateOrganization": OPERATORS,
  "millrace.v1.OrganizationService/GetOrganization": usersAndOperators(),
  "millrace.v1.OrganizationService/ListOrganizations": OPERATORS,
  "millrace.v1.OrganizationService/UpdateOrganization": OPERATORS,
  "millrace.v1.OrganizationService/ListAuditEvents": usersAndOperators("admin"),

  "millrace.v1.UserService/CreateUser": usersAndOperators("admin"),
  "millrace.v1.UserService/GetUser": usersAndOperators(),
  "millrace.v1.UserService/ListUsers": usersAndOperators("admin"),
  "millrace.v1.UserService/UpdateUser": usersAndOperators("admin"),
  "millrace.v1.UserService/ListUserAttributes": usersAndOperators("admin"),
  "millrace.v1.UserService/SetUserAttribute": usersAndOperators("admin"),
  "millrace.v1.UserService/RemoveUserAttribute": usersAndOperators("admin"),

  "millrace.v1.TokenService/CreateToken": usersAndOperators(),
  "millrace.v1.TokenService/ListTokens": usersAndOperators(),
  "millrace.v1.TokenService/RevokeToken": usersAndOperators(),
  "millrace.v1.TokenService/IntrospectToken": { kinds: ["user", "job", "operator"], oneOf: [] },

  "millrace.v1.JobTypeService/PutJobType": users("admin"),
  "millrace.v1.JobTypeService/GetJobType": usersAndJobs("jobs:create", "jobs:view"),
  "millrace.v1.JobTypeService/ListJobTypes": usersAndJobs("jobs:create", "jobs:view"),
  "millrace.v1.JobTypeService/ListJobTypeVersions": usersAndJobs("jobs:create", "jobs:view"),
  "millrace.v1.JobTypeService/SetJobTypeEnabled": users("admin"),
  "millrace.v1.JobTypeService/ResumeJobType": users("admin"),

  "millrace.v1.ScheduleService/CreateSchedule": users("jobs:create"),
  "millrace.v1.ScheduleService/GetSchedule": users("jobs:view"),
  "millrace.v1.ScheduleService/ListSchedules": users("jobs:view"),
  "millrace.v1.ScheduleService/UpdateSchedule": users("jobs:create"),
  "millrace.v1.ScheduleService/PauseSchedule": users("jobs:create"),
  "millrace.v1.ScheduleService/ResumeSchedule": users("jobs:create"),
  "millrace.v1.ScheduleService/TriggerSchedule": users("jobs:create"),
  "millrace.v1.ScheduleService/DeleteSchedule": users("jobs:create"),

  "millrace.v1.HookService/CreateHook": users("admin"),
  "millrace.v1.HookService/GetHook": users("admin"),
  "millrace.v1.HookService/ListHooks": users("admin"),
  "millrace.v1.HookService/UpdateHook": users("admin"),
  "millrace.v1.HookService/PauseHook": users("admin"),
  "millrace.v1.HookService/ResumeHook": users("admin"),
  "millrace.v1.HookService/DeleteHook": users("admin"),
  "millrace.v1.HookService/TestHook": users("admin"),
  "millrace.v1.HookService/ListDeliveries": users("jobs:view"),
  "millrace.v1.HookService/GetDelivery": users("jobs:view"),
  "millrace.v1.HookService/RedeliverDelivery": users("jobs:retry"),
  "millrace.v1.HookService/GetSigningSecrets": users("admin"),
  "millrace.v1.HookService/RotateSigningSecret": users("admin"),

  // Whoever has no `job-read` reads what he was granted: the handler sees to that.
  "millrace.v1.MetricsService/QueryMetrics": usersAndJobs(),
  "millrace.v1.MetricsService/GetCurrentMetrics": usersAndJobs(),
  "millrace.v1.MetricsService/PutMetricGrant": users("admin"),
  "millrace.v1.MetricsService/ListMetricGrants": users("admin"),
  "millrace.v1.MetricsService/DeleteMetricGrant": users("admin"),

  "millrace.internal.v1.RunnerService/Sync": RUNNERS,
  "millrace.internal.v1.RunnerService/GetScript": RUNNERS,
  "millrace.internal.v1.RunnerService/ListSteps": RUNNERS,
  "millrace.internal.v1.RunnerService/SubmitChild": RUNNERS,
  "millrace.internal.v1.RunnerService/AwaitChild": RUNNERS,
  "millrace.internal.v1.JobUpdateService/UpdateJobs": RUNNERS,
  // A job's own token needs no ability for its own job: the handler sees to the others.
  "millrace.internal.v1.JobUpdateService/UpdateJob": {
    kinds: ["user", "job", "runner"],
    oneOf: [],
  },
};

export const accessTo = (method: DescMethod): Access | undefined =>
  ACCESS[`${method.parent.typeName}/${method.name}`];
