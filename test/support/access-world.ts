import type { MessageInitShape } from "@bufbuild/protobuf";

import type { Assignment } from "../../src/gen/millrace/internal/v1/runner_service_pb.ts";
import type { JobSpecSchema } from "../../src/gen/millrace/v1/job_pb.ts";
import { HookService } from "../../src/gen/millrace/v1/hook_service_pb.ts";
import { ScheduleService } from "../../src/gen/millrace/v1/schedule_service_pb.ts";
import { createToken } from "../../src/identity/create-token.ts";
import { MEMBER_PERMISSIONS, type Permission, PERMISSIONS } from "../../src/jobs/abilities.ts";
import type { UserId } from "../../src/jobs/ids.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { createHandRunner, type HandRunner } from "./hand-runner.ts";
import type { TestServer, TestUser } from "./server.ts";

/** Everybody who may come: the columns of the matrix, after whoever shows no token. */
export const CALLERS = [
  /** An admin of another organization. */
  "stranger",
  /** A token of the creator without the ability that the method asks for. */
  "without",
  /** A member of the same organization who has no part in the things. */
  "colleague",
  /** Who made the things. */
  "creator",
  /** For whom they act. */
  "operational",
  "admin",
  "runner",
  "operator",
  /** An attempt's own token: it speaks for the operational user. */
  "job",
  /** A token of the organization itself, which is no user. */
  "organization",
] as const;
export type CallerName = (typeof CALLERS)[number];

/** Names of things that a request speaks of. */
export type Ids = Readonly<Record<Thing, string>>;
export const THINGS = [
  "organization",
  /** A running job; its attempt's own token is the caller `job`. */
  "job",
  /** The lease token of its attempt. */
  "lease",
  /** A job that it submitted. */
  "child",
  "succeeded",
  "script",
  "colleague",
  "operational",
  /** The public part of a token of the creator, and its text. */
  "token",
  "secret",
  "type",
  "schedule",
  "workflow",
  "hook",
  /** Of the callback of a job of the creator, for the operational user. */
  "delivery",
] as const;
export type Thing = (typeof THINGS)[number];

/** One organization with a thing of every kind, and somebody of every kind. */
export type World = {
  readonly server: TestServer;
  readonly ids: Ids;
  /** The token of that caller; of `without`, one that lacks all of `abilities`. */
  tokenOf(caller: CallerName, abilities: readonly Permission[]): Promise<string>;
  /** A new job that waits for its time, of the creator, for the operational user. */
  waitingJob(): Promise<string>;
  /** A new one that has failed and may be retried. */
  failedJob(): Promise<string>;
  /** A new one of the creator, whose step waits for its time and acts for the operational user. */
  waitingWorkflow(): Promise<string>;
  /** A new one whose step has failed and may be retried. */
  failedWorkflow(): Promise<string>;
  /** A new one of the creator, for the operational user, that fires once a year. */
  schedule(): Promise<string>;
  /** A new one of the admin. */
  hook(): Promise<string>;
  /** A new token of the creator: its public part. */
  freshToken(): Promise<string>;
};

type Spec = MessageInitShape<typeof JobSpecSchema>;

/** A job that nobody runs during the test. */
export const later = () => ({
  work: { case: "script" as const, value: { source: "export default () => 1" } },
  runAt: { seconds: BigInt(Math.floor(systemClock.now() / 1_000) + 3_600) },
});

/** A hook that nothing happens to. */
export const A_HOOK = {
  spec: {
    event: { case: "jobs" as const, value: { types: ["none"] } },
    target: { case: "url" as const, value: "https://hooks.example/" },
  },
};

/** A type of work that no runner does. */
const IDLE = "idle";

const CREATOR: readonly Permission[] = [...MEMBER_PERMISSIONS, "jobs:run-as"];

const publicPartOf = (token: string): string => token.split("_")[1] ?? "";

export const createWorld = async (server: TestServer): Promise<World> => {
  const { organizationId } = server.admin;
  const member = async (permissions = MEMBER_PERMISSIONS): Promise<TestUser> =>
    await server.addUser(organizationId, permissions);
  const [creator, operational, colleague] = [await member(CREATOR), await member(), await member()];
  const stranger = await server.addUser(await server.addOrganization(), ["admin"]);

  const newToken = async (userId: UserId | "", permissions: readonly Permission[] | null) => {
    const maker = {
      identity: server.store.identity,
      clock: systemClock,
      random: systemRandom,
    };
    const subject = { kind: "user" as const, organizationId, userId };
    const { text } = await createToken(maker, {
      ...subject,
      name: "",
      permissions,
      expiresAt: null,
    });
    return text;
  };

  const submit = async (spec: Spec): Promise<string> => {
    const { job } = await server.jobsOf(creator).submitJob({
      spec: { ...spec, runAs: operational.userId },
    });
    return job?.id ?? "";
  };
  const runner: HandRunner = createHandRunner(server, { slots: 3 });
  const begin = async (): Promise<Assignment> => {
    const { work } = later();
    await submit({ work, attemptTimeout: { seconds: 3_600n } });
    return await runner.take();
  };
  const jobOf = ({ attempt }: Assignment): string => attempt?.jobId ?? "";

  const submitWorkflow = async (spec: Spec) => {
    const step = { name: "only", spec: { ...spec, runAs: operational.userId } };
    const { workflow, nodes } = await server.jobsOf(creator).submitWorkflow({ steps: [step] });
    return { id: workflow?.id ?? "", job: nodes[0]?.job?.id ?? "" };
  };
  /** Jobs that the walk has retried may come before it. */
  const fail = async (job: string): Promise<void> => {
    for (let taken = ""; taken !== job;) {
      const assignment = await runner.take();
      await runner.fail(assignment, "on purpose");
      taken = jobOf(assignment);
    }
  };

  const running = await begin();
  const named = { ...(running.attempt && { attempt: running.attempt }), name: "child" };
  const child = await server.runners.submitChild({ ...named, spec: later() });
  const succeeded = await begin();
  await runner.succeed(succeeded);

  const schedule = async (): Promise<string> => {
    const job = { work: { case: "type" as const, value: IDLE }, runAs: operational.userId };
    const { schedule: made } = await server
      .clientOf(ScheduleService, creator.token)
      .createSchedule({ spec: { cron: "0 0 1 1 *", job } });
    return made?.id ?? "";
  };

  const hook = async (): Promise<string> => {
    const { hook: made } = await server
      .clientOf(HookService, server.admin.token)
      .createHook(A_HOOK);
    return made?.id ?? "";
  };

  const delivery = async (): Promise<string> => {
    const jobId = await submit({ ...later(), callback: { url: "https://callbacks.example/" } });
    await server.jobs.cancelJob({ jobId });
    const { deliveries } = await server
      .clientOf(HookService, server.admin.token)
      .listDeliveries({ of: { case: "jobId", value: jobId } });
    return deliveries[0]?.id ?? "";
  };

  const limited = new Map<string, Promise<string>>();
  const withoutAbilities = async (abilities: readonly Permission[]): Promise<string> => {
    const rest = PERMISSIONS.filter(
      (one) => abilities.length > 0 && !abilities.includes(one) && one !== "admin",
    );
    const key = rest.join(" ");
    const token = limited.get(key) ?? newToken(creator.userId, rest);
    limited.set(key, token);
    return await token;
  };

  const secret = await newToken(creator.userId, null);
  const tokens: Readonly<Record<Exclude<CallerName, "without">, string>> = {
    stranger: stranger.token,
    colleague: colleague.token,
    creator: creator.token,
    operational: operational.token,
    admin: server.admin.token,
    runner: server.runnerToken,
    operator: server.operatorToken,
    job: running.jobToken,
    organization: await newToken("", CREATOR),
  };

  return {
    server,
    ids: {
      organization: organizationId,
      job: jobOf(running),
      lease: running.attempt?.leaseToken ?? "",
      child: child.jobId,
      succeeded: jobOf(succeeded),
      script: running.scriptHash,
      colleague: colleague.userId,
      operational: operational.userId,
      token: publicPartOf(secret),
      secret,
      type: IDLE,
      schedule: await schedule(),
      workflow: (await submitWorkflow(later())).id,
      hook: await hook(),
      delivery: await delivery(),
    },
    tokenOf: async (caller, abilities) =>
      caller === "without" ? await withoutAbilities(abilities) : tokens[caller],
    waitingJob: async () => await submit(later()),
    failedJob: async () => {
      const assignment = await begin();
      await runner.fail(assignment, "on purpose");
      return jobOf(assignment);
    },
    waitingWorkflow: async () => (await submitWorkflow(later())).id,
    failedWorkflow: async () => {
      const { id, job } = await submitWorkflow({ work: later().work });
      await fail(job);
      return id;
    },
    schedule,
    hook,
    freshToken: async () => publicPartOf(await newToken(creator.userId, null)),
  };
};
