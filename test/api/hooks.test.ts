import type { MessageInitShape } from "@bufbuild/protobuf";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  type CreateHookResponse,
  type Delivery,
  DeliveryState,
  type Hook,
  HookService,
  type HookSpecSchema,
  ThresholdMetric,
} from "../../src/gen/millrace/v1/hook_service_pb.ts";
import { type Job, JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import { UserService } from "../../src/gen/millrace/v1/user_service_pb.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { ENGINES } from "../support/databases.ts";
import { eventually } from "../support/eventually.ts";
import { createHandRunner, type HandRunner } from "../support/hand-runner.ts";
import { startReceiver, type TestReceiver } from "../support/receiver.ts";
import { refusalOf } from "../support/refusal.ts";
import type { TestServer, TestUser } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

type Spec = MessageInitShape<typeof HookSpecSchema>;

const required = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error("an answer lacks what it is about");
  return value;
};

const TYPES = ["order", "tell", "again", "idle"];
const ofType = (type: string) => ({ work: { case: "type" as const, value: type } });

describe.each(ENGINES)("hooks on %s", (engine) => {
  let server: TestServer;
  let receiver: TestReceiver;
  let runner: HandRunner;
  const hooks = (user: Pick<TestUser, "token"> = server.admin) =>
    server.clientOf(HookService, user.token);

  beforeAll(async () => {
    server = await startServerOn(engine, {
      environment: { MILLRACE_CALLBACK_ALLOW: "127.0.0.1" },
      handlers: TYPES,
    });
    receiver = await startReceiver();
    const capabilities = ["handler:order", "handler:tell", "handler:again"];
    runner = createHandRunner(server, { capabilities });
  });
  afterAll(async () => {
    await receiver.close();
    await server.stop();
  });

  const filter = (facts: object = {}) => ({ case: "jobs" as const, value: facts });
  const toUrl = (path: string) => ({ case: "url" as const, value: receiver.url + path });
  const toJob = (type: string) => ({ case: "job" as const, value: { type } });
  const create = async (
    event: NonNullable<Spec["event"]>,
    target: NonNullable<Spec["target"]>,
    by: Pick<TestUser, "token"> = server.admin,
  ): Promise<CreateHookResponse & { hook: Hook }> => {
    const answer = await hooks(by).createHook({ spec: { name: "a hook", event, target } });
    return { ...answer, hook: required(answer.hook) };
  };
  const read = async ({ id }: Hook): Promise<Hook> =>
    required((await hooks().getHook({ hookId: id })).hook);
  const submit = async (type: string, labels: Record<string, string> = {}): Promise<Job> =>
    required((await server.jobs.submitJob({ spec: { ...ofType(type), labels } })).job);
  const deliveriesOf = async ({ id }: Hook): Promise<Delivery[]> =>
    (await hooks().listDeliveries({ of: { case: "hookId", value: id } })).deliveries;
  const until = async <T>(find: () => Promise<T>, holds: (found: T) => boolean): Promise<T> =>
    await eventually(async () => {
      const found = await find();
      expect(holds(found)).toBe(true);
      return found;
    });

  it("tell a URL of the jobs that match, signed with the secret of the hook", async () => {
    const states = [JobState.RUNNING, JobState.SUCCEEDED];
    const event = filter({ states, types: ["order"], labels: { shop: "north" } });
    const { hook, signingSecret } = await create(event, toUrl("/orders"));
    await submit("order", { shop: "south" });
    await runner.succeed(await runner.take());
    const job = await submit("order", { shop: "north", colour: "red" });
    await runner.succeed(await runner.take(), '{"total":7}');
    const heard = await receiver.until("/orders", 2);
    const verify = new Webhook(required(signingSecret).secret);
    const told = heard.map(({ body, headers }) =>
      verify.verify(body, headers as Record<string, string>),
    );
    expect(told).toMatchObject([
      { type: "job.running", data: { id: job.id, state: "JOB_STATE_RUNNING" } },
      {
        type: "job.succeeded",
        data: { id: job.id, result: { total: 7 }, labels: { shop: "north" } },
      },
    ]);
    const deliveries = await until(
      async () => await deliveriesOf(hook),
      (found) => found.every(({ state }) => state === DeliveryState.DELIVERED),
    );
    expect(deliveries.map(({ id }) => id).toSorted()).toEqual(heard.map(({ id }) => id).toSorted());
    await hooks().deleteHook({ hookId: hook.id });
  });

  it("submit a job with the notice as its input, which does not call its own hook again", async () => {
    const { hook, signingSecret } = await create(filter({ labels: {} }), toJob("tell"));
    expect(signingSecret).toBeUndefined();
    const job = await submit("order");
    await runner.succeed(await runner.take(), '{"total":9}');
    const told = await runner.take();
    expect(JSON.parse(told.inputJson)).toMatchObject({
      type: "job.succeeded",
      data: { id: job.id, result: { total: 9 } },
    });
    const jobId = required(told.attempt).jobId;
    expect((await server.jobs.getJob({ jobId })).job).toMatchObject({
      type: "tell",
      name: "a hook",
      hookId: hook.id,
      creatorId: server.admin.userId,
    });
    // A job of that job, by its own token, came of the hook as well.
    const inside = server.jobsOf({ token: told.jobToken });
    const child = required((await inside.submitJob({ spec: ofType("again") })).job);
    await runner.succeed(await runner.take());
    await runner.succeed(told);
    const stopped = await until(
      async () => await read(hook),
      ({ loopsStopped }) => loopsStopped === 2n,
    );
    expect(stopped.loopReason).toMatch(new RegExp(`${child.id}|${jobId}`));
    const [delivery, ...others] = await deliveriesOf(hook);
    expect(delivery).toMatchObject({ submittedJobId: jobId, state: DeliveryState.DELIVERED });
    expect(others).toEqual([]);
    await hooks().deleteHook({ hookId: hook.id });
  });

  it("end where hooks would submit jobs for one another for ever", async () => {
    const [one, two] = [
      await create(filter({ types: ["order", "again"] }), toJob("tell")),
      await create(filter({ types: ["tell"] }), toJob("again")),
    ];
    await submit("order");
    for (const type of ["order", "tell", "again"]) {
      const assignment = await runner.take();
      expect(assignment.type).toBe(type);
      await runner.succeed(assignment);
    }
    await until(
      async () => await read(one.hook),
      ({ loopsStopped }) => loopsStopped === 1n,
    );
    for (const { hook } of [one, two]) await hooks().deleteHook({ hookId: hook.id });
  });

  it("say why a job was refused, and try again", async () => {
    const { userId, token } = await server.addUser(server.admin.organizationId, ["admin"]);
    await server.putHandlers(["passing"]);
    const { hook } = await create(filter({ types: ["idle"] }), toJob("passing"), { token });
    await server.types.setJobTypeEnabled({ name: "passing", enabled: false });
    await hooks().testHook({ hookId: hook.id });
    const tried = async () =>
      await until(
        async () => (await deliveriesOf(hook))[0],
        (found) => (found?.tryCount ?? 0) > 0,
      );
    expect(await tried()).toMatchObject({
      event: "hook.test",
      state: DeliveryState.PENDING,
      lastError: expect.stringMatching(/^JOB_TYPE_DISABLED: /) as string,
    });
    await server.types.setJobTypeEnabled({ name: "passing", enabled: true });
    const users = server.clientOf(UserService, server.admin.token);
    await users.updateUser({ userId, disabled: true });
    await hooks().testHook({ hookId: hook.id });
    const denied = await tried();
    expect(denied?.lastError).toMatch(/^PERMISSION_DENIED: .* is disabled/);
    await hooks().deleteHook({ hookId: hook.id });
    const dropped = await hooks().getDelivery({ deliveryId: required(denied).id });
    expect(dropped.delivery).toMatchObject({
      state: DeliveryState.FAILED,
      lastError: "the hook was deleted",
      tryCount: 1,
    });
  });

  it("tell of a threshold", async () => {
    await submit("idle");
    const threshold = { metric: ThresholdMetric.QUEUED_JOBS, type: "idle", above: 0 };
    const { hook } = await create({ case: "threshold", value: threshold }, toUrl("/threshold"));
    const [heard] = await receiver.until("/threshold", 1);
    expect(JSON.parse(required(heard).body)).toMatchObject({
      type: "threshold.above",
      data: {
        hook_id: hook.id,
        hook_name: "a hook",
        metric: "THRESHOLD_METRIC_QUEUED_JOBS",
        type: "idle",
        above: 0,
        value: 1,
      },
    });
    expect(await read(hook)).toMatchObject({ firing: true, spec: { event: { value: threshold } } });
    await hooks().deleteHook({ hookId: hook.id });
  });

  it("are listed, changed, paused and resumed, and gone when they are deleted", async () => {
    const made = [
      await create(filter({ types: ["none"] }), toUrl("/a")),
      await create(filter(), toJob("tell")),
    ].map(({ hook }) => hook);
    expect(made[0]?.spec?.event.value).toMatchObject({
      states: [JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED],
    });
    const first = await hooks().listHooks({ pageSize: 1 });
    const next = await hooks().listHooks({ pageToken: first.nextPageToken });
    expect([...first.hooks, ...next.hooks]).toEqual(made);
    const hookId = required(made[1]).id;
    const { hook: paused } = await hooks().pauseHook({ hookId, reason: "holidays" });
    expect(paused).toMatchObject({ paused: true, pauseReason: "holidays", version: 1n });
    const spec = { name: "other", event: filter({ types: ["x"] }), target: toUrl("/b") };
    const { hook: changed } = await hooks().updateHook({ hookId, spec, version: 1n });
    expect(changed).toMatchObject({ version: 2n, paused: true, spec: { name: "other" } });
    const late = hooks().updateHook({ hookId, spec, version: 1n });
    expect(await refusalOf(late)).toMatchObject({ reason: "HOOK_CHANGED" });
    const { hook: resumed } = await hooks().resumeHook({ hookId });
    expect(resumed).toMatchObject({ paused: false, pauseReason: "" });
    expect(await read(required(made[1]))).toEqual(resumed);
    for (const { id } of made) await hooks().deleteHook({ hookId: id });
    expect((await hooks().listHooks({})).hooks).toEqual([]);
    const gone = await refusalOf(hooks().getHook({ hookId }));
    expect(gone).toMatchObject({ reason: "HOOK_NOT_FOUND" });
  });

  it("are checked, with the path of each fault, and made only if they are sound", async () => {
    const bad = await refusalOf(
      hooks().createHook({
        spec: {
          name: "x".repeat(201),
          event: filter({ states: [0, 99], types: ["no such name!"], labels: { "a b": "1" } }),
          target: { case: "url", value: "http://10.0.0.1/" },
        },
      }),
    );
    expect(bad.fields).toEqual([
      "spec.name",
      "spec.jobs.states[0]",
      "spec.jobs.states[1]",
      "spec.jobs.types[0]",
      'spec.jobs.labels["a b"]',
      "spec.url",
    ]);
    const types = Array.from({ length: 51 }, (_, n) => `t${n}`);
    const labels = Object.fromEntries(types.slice(0, 9).map((key) => [key, ""]));
    const many = hooks().createHook({ spec: { event: filter({ types, labels }) } });
    expect((await refusalOf(many)).fields).toEqual([
      "spec.jobs.types",
      "spec.jobs.labels",
      "spec.target",
    ]);
    const value = { above: Number.POSITIVE_INFINITY, for: { seconds: 86_401n } };
    const threshold = { event: { case: "threshold" as const, value }, target: toUrl("/") };
    expect((await refusalOf(hooks().createHook({ spec: threshold }))).fields).toEqual([
      "spec.threshold.metric",
      "spec.threshold.above",
      "spec.threshold.for",
    ]);
    const empty = await refusalOf(hooks().createHook({ spec: {} }));
    expect(empty.fields).toEqual(["spec.event", "spec.target"]);
    const unknown = create(filter(), toJob(`t-${systemRandom.uuid()}`));
    expect(await refusalOf(unknown)).toMatchObject({ reason: "JOB_TYPE_NOT_FOUND" });
    expect((await hooks().listHooks({})).hooks).toEqual([]);
  });
});
