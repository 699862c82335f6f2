import type { Permission } from "../../src/jobs/abilities.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { MetricsService } from "../../src/gen/millrace/v1/metrics_service_pb.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { row, type Row } from "./access-row.ts";
import { INTERNAL_ROWS } from "./access-rows-internal.ts";
import { A_HOOK, type Ids, later } from "./access-world.ts";

const CREATE: readonly Permission[] = ["jobs:create"];
const VIEW: readonly Permission[] = ["jobs:view"];
const CANCEL: readonly Permission[] = ["jobs:cancel"];
const RETRY: readonly Permission[] = ["jobs:retry"];
const ADMIN: readonly Permission[] = ["admin"];
const NOTHING: readonly Permission[] = [];

const spec = { spec: later() };
const ofJob = ({ job }: Ids) => ({ jobId: job });
const waiting: Row["prepare"] = async (world) => ({ job: await world.waitingJob() });
const failed: Row["prepare"] = async (world) => ({ job: await world.failedJob() });

const ofWorkflow = ({ workflow }: Ids) => ({ workflowId: workflow });

const yearly = { spec: { cron: "0 0 1 1 *", job: { work: later().work } } };
const freshSchedule: Row["prepare"] = async (world) => ({ schedule: await world.schedule() });
const ofType = ({ type }: Ids) => ({ name: type });
const ofSchedule = ({ schedule }: Ids) => ({ scheduleId: schedule });

const ofHook = ({ hook }: Ids) => ({ hookId: hook });
const ofDelivery = ({ delivery }: Ids) => ({ deliveryId: delivery });
const freshHook: Row["prepare"] = async (world) => ({ hook: await world.hook() });

/** The operational user may read how many jobs there were and are. */
const granted: Row["prepare"] = async ({ server, ids }) => {
  await server
    .clientOf(MetricsService, server.admin.token)
    .putMetricGrant({ grant: { userId: ids.operational, metrics: [1, 11] } });
  return {};
};

const name = (): string => systemRandom.uuid();

const named = ({ organization, colleague }: Ids) => ({
  organizationId: organization,
  userId: colleague,
});

/** What each method answers to each caller: one row for every method of every listener. */
export const ROWS: Readonly<Record<string, Row>> = {
  //       stranger | without | colleague | creator | operational | admin | runner | operator | job | organization
  "millrace.v1.JobService/SubmitJob": row(CREATE, ". x . . . . x x . .", () => spec),
  "millrace.v1.JobService/SubmitJobs": row(CREATE, ". x . . . . x x . .", () => ({
    requests: [spec],
  })),
  "millrace.v1.JobService/RunJob": row(CREATE, ". x . . . . x x . .", () => ({
    submit: spec,
    maxWait: { nanos: 1_000_000 },
  })),
  "millrace.v1.JobService/GetJob": row(VIEW, "? x ? . . . x x . ?", ofJob),
  "millrace.v1.JobService/ListJobs": row(VIEW, ". x . . . . x x . ."),
  "millrace.v1.JobService/GetJobInput": row(VIEW, "? x ? . . . x x . ?", ofJob),
  "millrace.v1.JobService/GetJobResult": row(VIEW, "? x ? . . . x x . ?", ({ succeeded }) => ({
    jobId: succeeded,
  })),
  "millrace.v1.JobService/CancelJob": row(CANCEL, "? x ? . . . x x . ?", ofJob, waiting),
  "millrace.v1.JobService/RetryJob": row(RETRY, "? x ? . . . x x . ?", ofJob, failed),
  "millrace.v1.JobService/ListJobOutput": row(VIEW, "? x ? . . . x x . ?", ofJob),
  "millrace.v1.JobService/ListJobAttempts": row(VIEW, "? x ? . . . x x . ?", ofJob),
  "millrace.v1.JobService/WatchJob": row(VIEW, "? x ? . . . x x x ?", ofJob),
  "millrace.v1.JobService/WatchJobs": row(VIEW, ". x . . . . x x x ."),
  "millrace.v1.JobService/WaitJob": row(VIEW, "? x ? . . . x x . ?", ({ job }) => ({
    jobId: job,
    maxWait: { nanos: 1_000_000 },
  })),

  "millrace.v1.JobService/SubmitWorkflow": row(CREATE, ". x . . . . x x x .", () => ({
    steps: [{ name: "only", ...spec }],
  })),
  "millrace.v1.JobService/GetWorkflow": row(VIEW, "? x ? . ? . x x ? ?", ofWorkflow),
  "millrace.v1.JobService/ListWorkflows": row(VIEW, ". x . . . . x x . ."),
  "millrace.v1.JobService/CancelWorkflow": row(
    CANCEL,
    "? x ? . ? . x x x ?",
    ofWorkflow,
    async (world) => ({ workflow: await world.waitingWorkflow() }),
  ),
  "millrace.v1.JobService/RetryWorkflow": row(
    RETRY,
    "? x ? . ? . x x x ?",
    ofWorkflow,
    async (world) => ({ workflow: await world.failedWorkflow() }),
  ),

  "millrace.v1.OrganizationService/CreateOrganization": row(NOTHING, "x x x x x x x . x x", () => ({
    name: name(),
  })),
  "millrace.v1.OrganizationService/GetOrganization": row(
    NOTHING,
    "? . . . . . x . x .",
    ({ organization }) => ({ organizationId: organization }),
  ),
  "millrace.v1.OrganizationService/ListOrganizations": row(NOTHING, "x x x x x x x . x x"),
  "millrace.v1.OrganizationService/UpdateOrganization": row(
    NOTHING,
    "x x x x x x x . x x",
    ({ organization }) => ({ organizationId: organization }),
  ),
  "millrace.v1.OrganizationService/ListAuditEvents": row(
    ADMIN,
    "? x x x x . x . x x",
    ({ organization }) => ({ organizationId: organization }),
  ),

  "millrace.v1.UserService/CreateUser": row(ADMIN, "? x x x x . x . x x", ({ organization }) => ({
    organizationId: organization,
    name: name(),
  })),
  "millrace.v1.UserService/GetUser": row(NOTHING, "? ? . ? ? . x . x ?", named),
  "millrace.v1.UserService/ListUsers": row(ADMIN, "? x x x x . x . x x", ({ organization }) => ({
    organizationId: organization,
  })),
  "millrace.v1.UserService/UpdateUser": row(ADMIN, "? x x x x . x . x x", named),
  "millrace.v1.UserService/ListUserAttributes": row(ADMIN, "? x x x x . x . x x", named),
  "millrace.v1.UserService/SetUserAttribute": row(ADMIN, "? x x x x . x . x x", (ids) => ({
    ...named(ids),
    name: "team",
    value: "blue",
  })),
  "millrace.v1.UserService/RemoveUserAttribute": row(ADMIN, "? x x x x . x . x x", (ids) => ({
    ...named(ids),
    name: "team",
    value: "red",
  })),

  "millrace.v1.TokenService/CreateToken": row(NOTHING, "? x . x x . x . x x", named),
  "millrace.v1.TokenService/ListTokens": row(NOTHING, "? . . . . . x . x .", named),
  "millrace.v1.TokenService/RevokeToken": row(
    NOTHING,
    "? . ? . ? . x . x ?",
    ({ token }) => ({ tokenId: token }),
    async (world) => ({ token: await world.freshToken() }),
  ),
  // Whoever may not know a token hears that it is not active.
  "millrace.v1.TokenService/IntrospectToken": row(NOTHING, ". . . . . . x . . .", ({ secret }) => ({
    token: secret,
  })),

  "millrace.v1.JobTypeService/PutJobType": row(ADMIN, ". x x x x . x x x x", () => ({
    spec: { name: name(), work: { case: "handler", value: {} } },
  })),
  "millrace.v1.JobTypeService/GetJobType": row([...CREATE, ...VIEW], "? x . . . . x x . .", ofType),
  "millrace.v1.JobTypeService/ListJobTypes": row([...CREATE, ...VIEW], ". x . . . . x x . ."),
  "millrace.v1.JobTypeService/ListJobTypeVersions": row(
    [...CREATE, ...VIEW],
    "? x . . . . x x . .",
    ofType,
  ),
  "millrace.v1.JobTypeService/SetJobTypeEnabled": row(ADMIN, "? x x x x . x x x x", ({ type }) => ({
    name: type,
    enabled: true,
  })),
  "millrace.v1.JobTypeService/ResumeJobType": row(ADMIN, "? x x x x . x x x x", ofType),

  "millrace.v1.ScheduleService/CreateSchedule": row(CREATE, ". x . . . . x x x .", () => yearly),
  "millrace.v1.ScheduleService/GetSchedule": row(VIEW, "? x ? . . . x x x ?", ofSchedule),
  "millrace.v1.ScheduleService/ListSchedules": row(VIEW, ". x . . . . x x x ."),
  "millrace.v1.ScheduleService/UpdateSchedule": row(
    CREATE,
    "? x ? . . . x x x ?",
    ({ schedule, operational }) => ({
      scheduleId: schedule,
      spec: { ...yearly.spec, job: { ...yearly.spec.job, runAs: operational } },
    }),
    freshSchedule,
  ),
  "millrace.v1.ScheduleService/PauseSchedule": row(CREATE, "? x ? . . . x x x ?", ofSchedule),
  "millrace.v1.ScheduleService/ResumeSchedule": row(CREATE, "? x ? . . . x x x ?", ofSchedule),
  "millrace.v1.ScheduleService/TriggerSchedule": row(CREATE, "? x ? . . . x x x ?", ofSchedule),
  "millrace.v1.ScheduleService/DeleteSchedule": row(
    CREATE,
    "? x ? . . . x x x ?",
    ofSchedule,
    freshSchedule,
  ),

  "millrace.v1.HookService/CreateHook": row(ADMIN, ". x x x x . x x x x", () => A_HOOK),
  "millrace.v1.HookService/GetHook": row(ADMIN, "? x x x x . x x x x", ofHook),
  "millrace.v1.HookService/ListHooks": row(ADMIN, ". x x x x . x x x x"),
  "millrace.v1.HookService/UpdateHook": row(ADMIN, "? x x x x . x x x x", (ids) => ({
    ...ofHook(ids),
    ...A_HOOK,
  })),
  "millrace.v1.HookService/PauseHook": row(ADMIN, "? x x x x . x x x x", ofHook),
  "millrace.v1.HookService/ResumeHook": row(ADMIN, "? x x x x . x x x x", ofHook),
  "millrace.v1.HookService/DeleteHook": row(ADMIN, "? x x x x . x x x x", ofHook, freshHook),
  "millrace.v1.HookService/TestHook": row(ADMIN, "? x x x x . x x x x", ofHook),
  "millrace.v1.HookService/ListDeliveries": row(VIEW, "? x ? . . . x x x ?", ({ job }) => ({
    of: { case: "jobId", value: job },
  })),
  "millrace.v1.HookService/GetDelivery": row(VIEW, "? x ? . . . x x x ?", ofDelivery),
  "millrace.v1.HookService/RedeliverDelivery": row(RETRY, "? x ? . . . x x x ?", ofDelivery),
  "millrace.v1.HookService/GetSigningSecrets": row(ADMIN, "? x x x x . x x x x", ofHook),
  "millrace.v1.HookService/RotateSigningSecret": row(ADMIN, "? x x x x . x x x x", ofHook),

  "millrace.v1.MetricsService/QueryMetrics": row(
    NOTHING,
    ". x x x . . x x . x",
    () => ({
      metrics: [1],
      startTime: { seconds: BigInt(Math.floor(systemClock.now() / 1_000) - 60) },
    }),
    granted,
  ),
  "millrace.v1.MetricsService/GetCurrentMetrics": row(
    NOTHING,
    ". x x x . . x x . x",
    () => ({}),
    granted,
  ),
  "millrace.v1.MetricsService/PutMetricGrant": row(
    ADMIN,
    "? x x x x . x x x x",
    ({ colleague }) => ({ grant: { userId: colleague, metrics: [2] } }),
  ),
  "millrace.v1.MetricsService/ListMetricGrants": row(ADMIN, ". x x x x . x x x x"),
  "millrace.v1.MetricsService/DeleteMetricGrant": row(
    ADMIN,
    ". x x x x . x x x x",
    ({ colleague }) => ({ userId: colleague }),
  ),

  ...INTERNAL_ROWS,
};
