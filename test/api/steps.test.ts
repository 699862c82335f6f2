import { toJson } from "@bufbuild/protobuf";
import { durationFromMs, ValueSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Job, JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import type { Service } from "../../src/runtime/lifecycle.ts";
import { ENGINES } from "../support/databases.ts";
import { runnerFor } from "../support/runner-under-test.ts";
import { aliveChildren } from "../support/sandbox-processes.ts";
import type { TestServer } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

describe.each(ENGINES)("ctx.step, on %s", (engine) => {
  let server: TestServer;
  let runner: Service;
  beforeAll(async () => {
    server = await startServerOn(engine);
    const { internalUrl, runnerToken } = server;
    const scripts = { scripts: true, slots: 1 };
    runner = runnerFor({ url: () => internalUrl, token: runnerToken }, scripts);
    await runner.start();
  });
  afterAll(async () => {
    await runner.stop();
    await server.stop();
  });

  const submit = async (source: string): Promise<string> => {
    const { job } = await server.jobs.submitJob({
      spec: {
        work: { case: "script", value: { source } },
        retryPolicy: {
          maxRetries: 1,
          initialBackoff: durationFromMs(20),
          multiplier: 1,
          jitter: 0,
        },
      },
    });
    return job?.id ?? "";
  };
  const ended = async (jobId: string): Promise<Job> => {
    const { job } = await server.jobs.waitJob({ jobId });
    if (job === undefined) throw new Error("an answer without a job");
    return job;
  };
  const rows = async (jobId: string): Promise<readonly string[]> =>
    (await server.jobs.listJobOutput({ jobId })).rows.map(({ text }) => text);
  const result = async (jobId: string): Promise<unknown> => {
    const found = await server.jobs.getJobResult({ jobId });
    return found.result === undefined ? undefined : toJson(ValueSchema, found.result);
  };
  /** Resolves when the job has written the row. */
  const written = async (jobId: string, row: string): Promise<void> => {
    for await (const { output } of server.jobs.watchJob({ jobId })) {
      if (output.some(({ text }) => text === row)) return;
    }
    throw new Error(`the job never wrote "${row}"`);
  };

  it("of an attempt whose process is killed are not run again by the next", async () => {
    const jobId = await submit(
      `export default async (input, ctx) => {
        const step = (name) => ctx.step(name, () => {
          ctx.output(name + " in attempt " + ctx.attempt);
          return { by: ctx.attempt };
        });
        const [a, b] = [await step("a"), await step("b")];
        ctx.output("half way");
        if (ctx.attempt === 1) await ctx.sleep(60_000);
        return [a, b, await step("c")];
      }`,
    );
    await written(jobId, "half way");
    for (const pid of aliveChildren()) process.kill(pid, "SIGKILL");
    expect(await ended(jobId)).toMatchObject({ state: JobState.SUCCEEDED, attempt: 2 });
    expect(await result(jobId)).toEqual([{ by: 1 }, { by: 1 }, { by: 2 }]);
    expect(await rows(jobId)).toEqual([
      "a in attempt 1",
      "b in attempt 1",
      "half way",
      "half way",
      "c in attempt 2",
    ]);
  });

  it("outlive the end of the job: RetryJob goes on after them, with all that they came to", async () => {
    const jobId = await submit(
      `export default async (input, ctx) => {
        const large = await ctx.step("large", () => { ctx.output("made"); return "x".repeat(256 * 1024 - 2); });
        if (ctx.attempt === 1) throw Object.assign(new Error("not yet"), { retryable: false });
        return large.length;
      }`,
    );
    expect(await ended(jobId)).toMatchObject({ state: JobState.FAILED });
    await server.jobs.retryJob({ jobId });
    expect(await ended(jobId)).toMatchObject({ state: JobState.SUCCEEDED });
    expect(await result(jobId)).toBe(256 * 1024 - 2);
    expect(await rows(jobId)).toEqual(["made"]);
  });

  it("tell their limits, and what broke one is not kept", async () => {
    const jobId = await submit(
      'export default async (input, ctx) => await ctx.step("large", () => "x".repeat(256 * 1024))',
    );
    const failed = {
      state: JobState.FAILED,
      error: {
        code: "quota.steps",
        message: 'the result of the step "large" is larger than 262144 bytes of JSON',
        retryable: false,
      },
    };
    expect(await ended(jobId)).toMatchObject(failed);
    await server.jobs.retryJob({ jobId });
    expect(await ended(jobId)).toMatchObject(failed);
  });
});
