import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  durationFromMs,
  type Timestamp,
  timestampFromMs,
  timestampMs,
} from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  AttemptOutcome,
  type Job,
  type JobSpecSchema,
  JobState,
} from "../../src/gen/millrace/v1/job_pb.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import type { Service } from "../../src/runtime/lifecycle.ts";
import { ENGINES } from "../support/databases.ts";
import { createHandRunner, type HandRunner } from "../support/hand-runner.ts";
import { refusalOf } from "../support/refusal.ts";
import { runnerFor } from "../support/runner-under-test.ts";
import type { TestServer } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

type Spec = MessageInitShape<typeof JobSpecSchema>;

const at = (time: Timestamp | undefined): number => {
  if (time === undefined) throw new Error("a time is missing");
  return timestampMs(time);
};

describe.each(ENGINES)("the life of a job through the public API on %s", (engine) => {
  let server: TestServer;
  /** A real one: it ends attempts at their timeouts. */
  let patient: Service;
  beforeAll(async () => {
    server = await startServerOn(engine, { handlers: ["endless"] });
    const { internalUrl, runnerToken } = server;
    // One that ended at its signal would have an answer before its time is over.
    const endless = { execute: async () => await new Promise<null>(() => {}) };
    patient = runnerFor({ url: () => internalUrl, token: runnerToken }, { handlers: { endless } });
    await patient.start();
  });
  afterAll(async () => {
    await patient.stop();
    await server.stop();
  });

  /** A runner, and work that no other can take. */
  const aRunner = async (): Promise<{
    readonly runner: HandRunner;
    readonly work: NonNullable<Spec["work"]>;
  }> => {
    const value = `t-${systemRandom.uuid()}`;
    await server.putHandlers([value]);
    const runner = createHandRunner(server, { capabilities: [`handler:${value}`] });
    return { runner, work: { case: "type", value } };
  };
  const submit = async (spec: Spec): Promise<string> =>
    (await server.jobs.submitJob({ spec })).job?.id ?? "";
  const read = async (jobId: string): Promise<Job> => {
    const { job } = await server.jobs.getJob({ jobId });
    if (job === undefined) throw new Error("an answer without a job");
    return job;
  };
  const ended = async (spec: Spec): Promise<Job> => {
    const { job } = await server.jobs.runJob({ submit: { spec } });
    if (job === undefined) throw new Error("an answer without a job");
    return job;
  };
  const attemptsOf = async (jobId: string) =>
    (await server.jobs.listJobAttempts({ jobId })).attempts;
  const quick = (maxRetries: number) => ({
    maxRetries,
    initialBackoff: durationFromMs(40),
    multiplier: 2,
    jitter: 0,
  });

  it("progress moves on within an attempt, never back, and begins anew with the next", async () => {
    const { runner, work } = await aRunner();
    const jobId = await submit({ work, retryPolicy: quick(1) });
    const first = await runner.take();
    const steps = { currentStep: 3, totalSteps: 6 };
    await runner.report(first, { progress: { fraction: 0.5, message: "half", ...steps } });
    await runner.report(first, { progress: { fraction: 0.2, message: "later" } });
    expect((await read(jobId)).progress).toMatchObject({
      fraction: 0.5,
      message: "later",
      ...steps,
    });
    const beyond = await runner.report(first, { progress: { fraction: 1.5 } });
    expect(beyond.error?.message).toMatch(/fraction must be 0 to 1/);
    await runner.fail(first, "no", true);
    const second = await runner.take();
    expect((await read(jobId)).progress).toMatchObject({ fraction: 0, message: "", totalSteps: 0 });
    await runner.succeed(second);
    expect((await read(jobId)).progress?.fraction).toBe(1);
  });

  it("retries with growing pauses, and keeps each attempt with its times and its error", async () => {
    const { runner, work } = await aRunner();
    const jobId = await submit({ work, retryPolicy: quick(2) });
    for (const message of ["one", "two", "three"]) {
      await runner.fail(await runner.take(), message, true);
    }
    const job = await read(jobId);
    expect(job).toMatchObject({
      state: JobState.FAILED,
      attempt: 3,
      retryCount: 2,
      canRetry: false,
      error: { message: "three" },
    });
    const attempts = await attemptsOf(jobId);
    expect(attempts).toMatchObject(
      ["one", "two", "three"].map((message, index) => ({
        attempt: index + 1,
        runnerId: runner.id,
        outcome: AttemptOutcome.FAILED,
        error: { message },
      })),
    );
    const pauses = attempts
      .slice(1)
      .map(({ startTime }, index) => at(startTime) - at(attempts[index]?.endTime));
    expect(pauses[0]).toBeGreaterThanOrEqual(40);
    expect(pauses[1]).toBeGreaterThanOrEqual(80);
    expect(at(job.endTime)).toBe(at(attempts[2]?.endTime));
    expect(await refusalOf(server.jobs.retryJob({ jobId }))).toMatchObject({
      reason: "JOB_NOT_RETRYABLE",
    });
  });

  it("waits out its backoff as RETRYING, and can be cancelled there", async () => {
    const { runner, work } = await aRunner();
    const retryPolicy = { maxRetries: 1, initialBackoff: durationFromMs(300_000), jitter: 0 };
    const jobId = await submit({ work, retryPolicy });
    await runner.fail(await runner.take(), "not now", true);
    const waiting = await read(jobId);
    expect(waiting).toMatchObject({ state: JobState.RETRYING, retryCount: 1, canCancel: true });
    const [attempt] = await attemptsOf(jobId);
    expect(at(waiting.runAt) - at(attempt?.endTime)).toBe(300_000);
    await server.jobs.cancelJob({ jobId });
    expect((await read(jobId)).state).toBe(JobState.CANCELLED);
  });

  it("does not retry by itself what another attempt cannot help, but by hand until the retries are used up", async () => {
    const { runner, work } = await aRunner();
    const jobId = await submit({ work, retryPolicy: quick(2) });
    await runner.fail(await runner.take(), "never", false);
    for (const retryCount of [1, 2]) {
      expect(await read(jobId)).toMatchObject({ state: JobState.FAILED, canRetry: true });
      const { job } = await server.jobs.retryJob({ jobId });
      expect(job).toMatchObject({ retryCount, progress: { fraction: 0 } });
      await runner.fail(await runner.take(), "never", false);
    }
    expect(await read(jobId)).toMatchObject({ attempt: 3, canRetry: false });
    expect(await refusalOf(server.jobs.retryJob({ jobId }))).toMatchObject({
      code: "FailedPrecondition",
      reason: "JOB_NOT_RETRYABLE",
      metadata: { state: "FAILED" },
    });
    expect(await attemptsOf(jobId)).toHaveLength(3);
  });

  it("is SCHEDULED until its run_at, and runs then", async () => {
    const { runner, work } = await aRunner();
    const runAt = systemClock.now() + 300;
    const jobId = await submit({ work, runAt: timestampFromMs(runAt) });
    expect((await read(jobId)).state).toBe(JobState.SCHEDULED);
    await runner.succeed(await runner.take());
    const job = await read(jobId);
    expect(job.state).toBe(JobState.SUCCEEDED);
    expect(at(job.startTime)).toBeGreaterThanOrEqual(runAt);
  });

  it("ends each attempt at its timeout, and retries it as any failure", async () => {
    const job = await ended({
      work: { case: "type", value: "endless" },
      attemptTimeout: durationFromMs(200),
      retryPolicy: quick(1),
    });
    expect(job).toMatchObject({
      state: JobState.FAILED,
      attempt: 2,
      error: { code: "timeout.wall" },
    });
    for (const { startTime, endTime, error } of await attemptsOf(job.id)) {
      expect(error?.code).toBe("timeout.wall");
      expect(at(endTime) - at(startTime)).toBeGreaterThanOrEqual(190);
    }
  });

  it("ends at its total timeout while it runs, and is not retried any more", async () => {
    /** A machine that is too busy to start it in time is given more of it. */
    const startedWithin = async (totalMs: number): Promise<Job> => {
      const job = await ended({
        work: { case: "type", value: "endless" },
        attemptTimeout: durationFromMs(60_000),
        totalTimeout: durationFromMs(totalMs),
        retryPolicy: quick(5),
      });
      return job.attempt === 0 && totalMs < 6_000 ? await startedWithin(totalMs * 2) : job;
    };
    const job = await startedWithin(400);
    expect(job).toMatchObject({
      state: JobState.FAILED,
      attempt: 1,
      canRetry: false,
      error: { code: "timeout.total" },
    });
  });

  it("fails at its total timeout instead of waiting for a retry beyond it", async () => {
    const { runner, work } = await aRunner();
    const jobId = await submit({
      work,
      totalTimeout: durationFromMs(60_000),
      retryPolicy: { maxRetries: 3, initialBackoff: durationFromMs(3_600_000), jitter: 0 },
    });
    await runner.fail(await runner.take(), "no", true);
    expect(await read(jobId)).toMatchObject({ state: JobState.FAILED, error: { message: "no" } });
  });
});
