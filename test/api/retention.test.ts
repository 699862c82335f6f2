import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { DeliveryState, HookService } from "../../src/gen/millrace/v1/hook_service_pb.ts";
import { type Job, JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { ENGINES } from "../support/databases.ts";
import { eventually } from "../support/eventually.ts";
import { createHandRunner, type HandRunner } from "../support/hand-runner.ts";
import { startReceiver, type TestReceiver } from "../support/receiver.ts";
import { refusalOf, streamRefusalOf } from "../support/refusal.ts";
import type { TestServer, TestUser } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

const RETENTION_MS = 1_000;
const OF_A_JOB = ["jobs", "job_labels", "job_specs", "job_attempts", "job_output", "job_requests"];
const OF_A_WORKFLOW = ["workflows", "workflow_steps", "job_edges"];
const CAPABILITIES = ["handler:work"];
/** No runner does it. */
const unwanted = { work: { case: "type" as const, value: "unwanted" } };
const work = { work: { case: "type" as const, value: "work" } };

const present = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error("an answer lacks what it is about");
  return value;
};

describe.each(ENGINES)("retention through the public API on %s", (engine) => {
  let server: Awaited<ReturnType<typeof startServerOn>>;
  let receiver: TestReceiver;
  let user: TestUser;
  let jobs: TestServer["jobs"];
  let runner: HandRunner;
  beforeAll(async () => {
    server = await startServerOn(engine, {
      environment: { MILLRACE_CALLBACK_ALLOW: "127.0.0.1" },
    });
    receiver = await startReceiver();
    const organizationId = await server.addOrganization({ retentionMs: RETENTION_MS });
    user = await server.addUser(organizationId, ["admin"]);
    await server.putHandlers(["unwanted", "work"], user);
    jobs = server.jobsOf(user);
    runner = createHandRunner(server, { capabilities: CAPABILITIES });
  });
  afterAll(async () => {
    await receiver.close();
    await server.stop();
  });

  const rowsLeft = async (tables = OF_A_JOB): Promise<number[]> =>
    await Promise.all(
      tables.map(async (table) => {
        const mine = `organization_id = '${user.organizationId}'`;
        const [row] = await server.database.query(
          `SELECT COUNT(*) AS n FROM ${table} WHERE ${mine}`,
        );
        return Number(row?.["n"]);
      }),
    );
  const idOf = ({ job }: { readonly job?: Job | undefined }): string => job?.id ?? "";
  const untilGone = async (jobId: string): Promise<void> => {
    await eventually(async () => {
      expect(await refusalOf(jobs.getJob({ jobId }))).toMatchObject({ reason: "JOB_NOT_FOUND" });
    });
  };

  it("deliveries go with their jobs, and those of no job after the same time; what is owed stays", async () => {
    receiver.answer("/owed", () => ({ status: 500 }));
    const hooks = server.clientOf(HookService, user.token);
    const endedWith = async (path: string): Promise<string> => {
      const callback = { url: receiver.url + path };
      const jobId = idOf(await jobs.submitJob({ spec: { ...unwanted, callback } }));
      await jobs.cancelJob({ jobId });
      return jobId;
    };
    const owing = await endedWith("/owed");
    const told = await endedWith("/told");
    const target = { case: "url" as const, value: `${receiver.url}/told` };
    const event = { case: "jobs" as const, value: { types: ["none"] } };
    const hookId = (await hooks.createHook({ spec: { target, event } })).hook?.id ?? "";
    const { delivery } = await hooks.testHook({ hookId });
    const deliveryId = delivery?.id ?? "";
    const heard = await receiver.until("/told", 2);
    const owed = (await receiver.until("/owed", 1))[0]?.id ?? "";
    await untilGone(told);
    await untilGone(owing);
    for (const id of [deliveryId, ...heard.map((one) => one.id)]) {
      await eventually(async () => {
        const refusal = await refusalOf(hooks.getDelivery({ deliveryId: id }));
        expect(refusal).toMatchObject({ reason: "DELIVERY_NOT_FOUND" });
      });
    }
    const list = hooks.listDeliveries({ of: { case: "jobId", value: told } });
    expect(await refusalOf(list)).toMatchObject({ reason: "JOB_NOT_FOUND" });
    // It is to be sent for days, whatever becomes of its job.
    const left = await hooks.getDelivery({ deliveryId: owed });
    expect(left.delivery).toMatchObject({ state: DeliveryState.PENDING, jobId: owing });
    const tries = `SELECT COUNT(*) AS n FROM delivery_tries WHERE delivery_id <> '${owed}'`;
    expect(Number((await server.database.query(tries))[0]?.["n"])).toBe(0);
    await hooks.deleteHook({ hookId });
  });

  it("an ended job goes after its time, and nothing of it is left", async () => {
    const abort = new AbortController();
    const watch = jobs.watchJobs({}, { signal: abort.signal })[Symbol.asyncIterator]();
    const first: unknown = (await watch.next()).value;
    const { resumeToken } = first as { readonly resumeToken: string };
    abort.abort();

    const request = { requestId: "again", spec: { ...work, labels: { team: "a" } } };
    const jobId = idOf(await jobs.submitJob(request));
    const failing = await runner.take();
    await runner.fail(failing, "not yet", true);
    const second = idOf(await jobs.submitJob({ spec: work }));
    const talking = await runner.take();
    expect(talking.attempt?.jobId).toBe(second);
    const lines = Array.from({ length: 700 }, (_, index) => `line ${index}`);
    await runner.print(talking, ...lines);
    await runner.print(talking, ...lines);
    await runner.succeed(talking);
    await runner.succeed(await runner.take());
    const { job } = await jobs.getJob({ jobId });
    expect(job?.state).toBe(JobState.SUCCEEDED);
    expect(timestampMs(present(job?.purgeTime)) - timestampMs(present(job?.endTime))).toBe(
      RETENTION_MS,
    );
    expect(await rowsLeft()).toEqual([2, 1, 2, 3, 1_400, 1]);
    const watched = jobs.watchJob({ jobId })[Symbol.asyncIterator]();
    const last: unknown = (await watched.next()).value;
    const jobToken = (last as { readonly resumeToken: string }).resumeToken;

    await untilGone(jobId);
    await untilGone(second);
    expect(await rowsLeft()).toEqual([0, 0, 0, 0, 0, 0]);
    for (const call of [
      () => jobs.getJobResult({ jobId }),
      () => jobs.listJobOutput({ jobId }),
      () => jobs.listJobAttempts({ jobId }),
      () => jobs.cancelJob({ jobId }),
      () => jobs.retryJob({ jobId }),
    ]) {
      expect(await refusalOf(call())).toMatchObject({ reason: "JOB_NOT_FOUND" });
    }
    expect(await streamRefusalOf(jobs.watchJobs({ resumeToken }))).toMatchObject({
      code: "OutOfRange",
      reason: "RESUME_TOKEN_EXPIRED",
    });
    const resumed = jobs.watchJob({ jobId, resumeToken: jobToken });
    expect(await streamRefusalOf(resumed)).toMatchObject({ reason: "JOB_NOT_FOUND" });

    const again = await jobs.submitJob(request);
    expect(again.created).toBe(true);
    expect(idOf(again)).not.toBe(jobId);
  });

  it("a workflow goes whole: nobody sees it, or its steps, with some of them missing", async () => {
    const steps = Array.from({ length: 250 }, (_, index) => ({
      name: `s${index}`,
      spec: unwanted,
      after: index === 0 ? [] : [{ step: "s0" }],
    }));
    const tables = [...OF_A_JOB, ...OF_A_WORKFLOW];
    const before = await rowsLeft(tables);
    const request = { requestId: "a flow", labels: { team: "a" }, steps };
    const { workflow, nodes } = await jobs.submitWorkflow(request);
    const workflowId = workflow?.id ?? "";
    const stepIds = nodes.map(({ job }) => idOf({ job }));
    await jobs.cancelWorkflow({ workflowId });

    const seen = async (): Promise<number> => {
      const found = await jobs.getWorkflow({ workflowId }).catch(() => ({ nodes: [] }));
      return found.nodes.filter(({ job }) => job !== undefined).length;
    };
    const listed = async (): Promise<number> =>
      (await jobs.listJobs({ filter: { workflowId }, pageSize: 1_000 })).jobs.length;
    const counts: number[] = [];
    await eventually(async () => {
      counts.push(await seen(), await listed());
      expect(counts.at(-1)).toBe(0);
    });
    expect(new Set(counts)).toEqual(new Set([250, 0]));
    for (const jobId of [stepIds[0], stepIds[249]]) {
      expect(await refusalOf(jobs.getJob({ jobId: jobId ?? "" }))).toMatchObject({
        reason: "JOB_NOT_FOUND",
      });
    }
    const { jobs: labelled, total } = await jobs.listJobs({
      filter: { labels: { team: "a" }, states: [JobState.CANCELLED] },
      includeTotal: true,
    });
    expect([labelled, total]).toEqual([[], 0n]);
    await eventually(async () => {
      expect(await rowsLeft(tables)).toEqual(before);
    });
    const again = await jobs.submitWorkflow(request);
    expect(again.created).toBe(true);
    await jobs.cancelWorkflow({ workflowId: again.workflow?.id ?? "" });
  });

  it("a job that has not ended stays, and so does one of an organization that keeps them longer", async () => {
    const waiting = idOf(
      await jobs.submitJob({
        spec: { ...unwanted, runAt: timestampFromMs(systemClock.now() + 3_600_000) },
      }),
    );
    await server.putHandlers(["unwanted"]);
    const kept = idOf(await server.jobs.submitJob({ spec: unwanted }));
    await server.jobs.cancelJob({ jobId: kept });
    const goes = idOf(await jobs.submitJob({ spec: unwanted }));
    await jobs.cancelJob({ jobId: goes });
    await untilGone(goes);
    expect((await jobs.getJob({ jobId: waiting })).job?.state).toBe(JobState.SCHEDULED);
    expect((await server.jobs.getJob({ jobId: kept })).job?.state).toBe(JobState.CANCELLED);
  });
});
