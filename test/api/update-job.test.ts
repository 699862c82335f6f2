import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Assignment } from "../../src/gen/millrace/internal/v1/runner_service_pb.ts";
import { JobState, OutputStream } from "../../src/gen/millrace/v1/job_pb.ts";
import { OrganizationService } from "../../src/gen/millrace/v1/organization_service_pb.ts";
import { MEMBER_PERMISSIONS } from "../../src/jobs/abilities.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { ENGINES } from "../support/databases.ts";
import { createHandRunner, type HandRunner } from "../support/hand-runner.ts";
import { refusalOf } from "../support/refusal.ts";
import type { TestServer, TestUser } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";
import { updateJobs } from "../support/update-jobs.ts";

const value = (json: JsonValue) => fromJson(ValueSchema, json);
const result = (json: JsonValue) => ({ case: "result" as const, value: value(json) });
const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);

describe.each(ENGINES)("UpdateJob on %s", (engine) => {
  let server: TestServer;
  let creator: TestUser;
  let writer: TestUser;
  let runner: HandRunner;

  beforeAll(async () => {
    server = await startServerOn(engine);
    const { organizationId } = server.admin;
    creator = await server.addUser(organizationId, MEMBER_PERMISSIONS);
    writer = await server.addUser(organizationId, ["job-write"]);
    runner = createHandRunner(server, { slots: 5 });
  });
  afterAll(async () => {
    await server.stop();
  });

  /** A job of `creator` whose attempt the runner has just been given. */
  const start = async (facts: object = {}): Promise<{ jobId: string; assignment: Assignment }> => {
    const work = { case: "script" as const, value: { source: "export default () => 1" } };
    await server.jobsOf(creator).submitJob({ spec: { work, ...facts } });
    const assignment = await runner.take();
    return { jobId: assignment.attempt?.jobId ?? "", assignment };
  };
  const jobOf = async (jobId: string) => {
    const { job } = await server.jobs.getJob({ jobId });
    if (job === undefined) throw new Error("no job");
    return job;
  };

  it("ends a job for a user with job-write, who learns no more of it than reporting needs", async () => {
    const { jobId, assignment } = await start({ name: "secret", labels: { a: "b" } });
    await runner.print(assignment, "of the runner");
    const updates = server.updatesOf(writer.token);
    const output = [{ stream: OutputStream.LOG, text: "of the writer" }];
    const progress = { fraction: 0.5, message: "half" };
    const told = await updates.updateJob({ jobId, seq: 1n, progress, output });
    expect(told).toMatchObject({ cancelRequested: false, lastSeq: 1n });
    expect(told.job).toMatchObject({
      id: jobId,
      state: JobState.RUNNING,
      attempt: 1,
      outputCount: 2n,
      progress: { fraction: 0.5 },
      name: "",
      labels: {},
      creatorId: "",
    });
    const ended = await updates.updateJob({ jobId, seq: 2n, ending: result({ a: [1] }) });
    expect(ended.job?.state).toBe(JobState.SUCCEEDED);
    const { rows } = await server.jobs.listJobOutput({ jobId });
    expect(rows.map(({ seq, text }) => [seq, text])).toEqual([
      [0n, "of the runner"],
      [1n, "of the writer"],
    ]);
    const stored = await server.jobsOf(creator).getJobResult({ jobId });
    expect(stored.result && toJson(ValueSchema, stored.result)).toEqual({ a: [1] });
  });

  it("finds nothing by a runner's ids that are none, and says so in order", async () => {
    const organizationId = "é";
    const jobId = systemRandom.uuid();
    const update = server.updates.updateJob({ organizationId, jobId, seq: 1n });
    expect(await refusalOf(update)).toMatchObject({ reason: "JOB_NOT_FOUND" });
    const script = server.runners.getScript({ organizationId, hash: "é" });
    expect(await refusalOf(script)).toMatchObject({ reason: "SCRIPT_NOT_FOUND" });
    const { jobId: started, assignment } = await start();
    const { attempt } = assignment;
    if (attempt === undefined) throw new Error("no attempt");
    const ending = { ending: { case: "resultJson" as const, value: "1" } };
    const { outcomes } = await updateJobs(server.updates, {
      updates: [
        { attempt: { organizationId, jobId: "é", attempt: 1, leaseToken: "é" }, seq: 1n },
        { attempt, seq: 1n, ending },
      ],
    });
    expect(outcomes.map(({ error }) => error?.code ?? 0)).toEqual([3, 0]);
    expect((await jobOf(started)).state).toBe(JobState.SUCCEEDED);
  });

  it("takes the attempt from the runner: its late report is refused, and a sync says so", async () => {
    const { jobId, assignment } = await start();
    await server.updatesOf(writer.token).updateJob({ jobId, seq: 1n, ending: result(1) });
    await runner.untilLost(assignment);
    const late = await runner.report(assignment, {
      ending: { ending: { case: "resultJson", value: "2" } },
    });
    expect(late.error?.message).toMatch(/no longer yours/);
    const stored = await server.jobs.getJobResult({ jobId });
    expect(stored.result && toJson(ValueSchema, stored.result)).toBe(1);
  });

  it("answers a repeated report alike, and applies it once", async () => {
    const { jobId } = await start();
    const updates = server.updatesOf(writer.token);
    const output = [{ stream: OutputStream.STDOUT, text: "once" }];
    const report = { jobId, attempt: 1, seq: 1n, output, ending: result("done") };
    const first = await updates.updateJob(report);
    expect(await updates.updateJob(report)).toEqual(first);
    expect((await jobOf(jobId)).outputCount).toBe(1n);
    const more = updates.updateJob({ jobId, seq: 2n });
    expect(await refusalOf(more)).toMatchObject({
      code: "FailedPrecondition",
      reason: "JOB_NOT_RUNNING",
      metadata: { job_id: jobId, state: "SUCCEEDED" },
    });
  });

  it("is fenced by the attempt", async () => {
    const { jobId, assignment } = await start({ retryPolicy: { maxRetries: 1 } });
    await runner.fail(assignment, "first");
    await server.jobsOf(creator).retryJob({ jobId });
    const second = await runner.take();
    const updates = server.updatesOf(writer.token);
    const late = updates.updateJob({ jobId, attempt: 1, seq: 9n, ending: result(1) });
    expect(await refusalOf(late)).toMatchObject({ code: "Aborted", reason: "LEASE_LOST" });
    await updates.updateJob({ jobId, attempt: 2, seq: 1n });
    await runner.succeed(second, '"second"');
  });

  it("fails an attempt with a typed error, which is retried or not", async () => {
    const updates = server.updatesOf(writer.token);
    const error = (retryable: boolean) => ({
      case: "error" as const,
      value: { code: "printer.jammed", message: "no paper", retryable },
    });
    const backoff = { initialBackoff: { seconds: 3_600n } };
    const first = await start({ retryPolicy: backoff });
    await updates.updateJob({ jobId: first.jobId, seq: 1n, ending: error(true) });
    expect((await jobOf(first.jobId)).state).toBe(JobState.RETRYING);
    const second = await start();
    await updates.updateJob({ jobId: second.jobId, seq: 1n, ending: error(false) });
    expect(await jobOf(second.jobId)).toMatchObject({
      state: JobState.FAILED,
      error: { code: "printer.jammed", message: "no paper" },
    });
  });

  it("lets a job's own token speak of its own attempt alone, and of nothing once that has ended", async () => {
    const [own, other] = [await start(), await start()];
    const updates = server.updatesOf(own.assignment.jobToken);
    const told = await updates.updateJob({
      jobId: own.jobId,
      seq: 1n,
      progress: { fraction: 0.3 },
    });
    expect(told.job).toMatchObject({ progress: { fraction: 0.3 }, creatorId: creator.userId });
    const refused = [
      { jobId: other.jobId, seq: 1n },
      { jobId: own.jobId, seq: 2n, attempt: 2 },
      { jobId: own.jobId, seq: 2n, organizationId: other.jobId },
    ];
    for (const request of refused) {
      expect(await refusalOf(updates.updateJob(request))).toMatchObject({
        code: "NotFound",
        reason: "JOB_NOT_FOUND",
      });
    }
    await updates.updateJob({ jobId: own.jobId, seq: 2n, ending: result(null) });
    const dead = updates.updateJob({ jobId: own.jobId, seq: 3n });
    expect(await refusalOf(dead)).toMatchObject({ reason: "UNAUTHENTICATED" });
    await runner.succeed(other.assignment);
  });

  it("asks of a runner's token which organization it speaks of", async () => {
    const { jobId } = await start();
    expect(await refusalOf(server.updates.updateJob({ jobId, seq: 1n }))).toMatchObject({
      reason: "INVALID_ARGUMENT",
      fields: ["organization_id"],
    });
    const { organizationId } = creator;
    const { job } = await server.updates.updateJob({
      jobId,
      organizationId,
      seq: 1n,
      ending: { case: "cancelled", value: {} },
    });
    expect(job).toMatchObject({ state: JobState.CANCELLED, name: "" });
  });

  it("says that a cancellation waits, and ends the job when it has been carried out", async () => {
    const { jobId } = await start();
    await server.jobsOf(creator).cancelJob({ jobId });
    const updates = server.updatesOf(writer.token);
    expect((await updates.updateJob({ jobId, seq: 1n })).cancelRequested).toBe(true);
    const ending = { case: "cancelled" as const, value: {} };
    const { job } = await updates.updateJob({ jobId, seq: 2n, ending });
    expect(job?.state).toBe(JobState.CANCELLED);
  });

  it("leaves a line in the audit log for an ending, and none for progress", async () => {
    const { jobId } = await start();
    const updates = server.updatesOf(writer.token);
    await updates.updateJob({ jobId, seq: 1n, progress: { fraction: 0.1 } });
    await updates.updateJob({ jobId, seq: 2n, ending: result(1) });
    const { events } = await server
      .clientOf(OrganizationService, server.admin.token)
      .listAuditEvents({ subject: jobId });
    const updated = events.filter(({ action }) => action === "job.update");
    expect(updated).toMatchObject([
      { actorId: writer.userId, details: { attempt: 1, outcome: "SUCCEEDED" } },
    ]);
  });

  it("names every fault of a report", async () => {
    const { jobId, assignment } = await start();
    const updates = server.updatesOf(writer.token);
    const bad = updates.updateJob({
      jobId,
      attempt: -1,
      progress: { fraction: 2 },
      output: [{ text: "x" }],
      ending: { case: "error", value: { message: "x" } },
    });
    expect((await refusalOf(bad)).fields).toEqual([
      "attempt",
      "seq",
      "progress.fraction",
      "output[0].stream",
      "error.code",
    ]);
    const deep = updates.updateJob({
      jobId,
      seq: 1n,
      ending: result(JSON.parse(nested(31)) as JsonValue),
    });
    expect(await refusalOf(deep)).toMatchObject({ fields: ["result"] });
    const large = updates.updateJob({ jobId, seq: 1n, ending: result("x".repeat(1_048_576)) });
    expect(await refusalOf(large)).toMatchObject({ fields: ["result"] });
    const ofRunner = await runner.report(assignment, {
      ending: { ending: { case: "resultJson", value: nested(31) } },
    });
    expect(ofRunner.error?.message).toMatch(/nested at most 30 levels/);
    const endless = await runner.report(assignment, {
      ending: { ending: { case: "resultJson", value: "[1e999]" } },
    });
    expect(endless.error?.message).toMatch(/no number beyond/);
    await updates.updateJob({
      jobId,
      seq: 1n,
      ending: result(JSON.parse(nested(30)) as JsonValue),
    });
    const { result: stored } = await server.jobs.getJobResult({ jobId });
    expect(JSON.stringify(stored && toJson(ValueSchema, stored))).toBe(nested(30));
  });
});
