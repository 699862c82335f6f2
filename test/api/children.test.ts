import { create, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { durationFromMs, ValueSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { JobError } from "../../runner/handler.ts";
import { type Job, JobSpecSchema, JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import type { Service } from "../../src/runtime/lifecycle.ts";
import { ENGINES } from "../support/databases.ts";
import { runnerFor } from "../support/runner-under-test.ts";
import { aliveChildren } from "../support/sandbox-processes.ts";
import type { TestServer } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

const DOUBLE =
  'export default ({ n }) => { if (n < 0) throw new Error("too small"); return 2 * n; }';

/** A script that calls the type `family` for each of its children. */
const FAMILY = `export default async ({ depth, width }, ctx) => {
  if (depth === 0) return 1;
  const ids = [];
  for (let at = 0; at < width; at += 1) {
    ids.push(await ctx.submit("child " + at, { type: "family", input: { depth: depth - 1, width } }));
  }
  const counts = await Promise.all(ids.map((id) => ctx.waitFor(id)));
  return counts.reduce((sum, count) => sum + count, 1);
}`;

describe.each(ENGINES)("jobs of jobs, on %s", (engine) => {
  let server: TestServer;
  let runner: Service;
  beforeAll(async () => {
    server = await startServerOn(engine, { handlers: ["sum", "late"] });
    const { internalUrl, runnerToken } = server;
    const types = { double: DOUBLE, family: FAMILY };
    for (const [name, source] of Object.entries(types)) {
      await server.types.putJobType({
        spec: { name, work: { case: "script", value: { source } } },
      });
    }
    runner = runnerFor(
      { url: () => internalUrl, token: runnerToken },
      {
        scripts: true,
        // One: whoever waits for his children has to leave his slot to them.
        slots: 1,
        handlers: {
          sum: {
            execute: async ({ input }, ctx) => {
              const numbers = input as number[];
              const ids = await Promise.all(
                numbers.map(
                  async (n, at) => await ctx.submit(`n${at}`, { type: "double", input: { n } }),
                ),
              );
              const results = await Promise.all(
                ids.map(async (id) => await ctx.waitFor<number>(id)),
              );
              return results.reduce((sum, result) => sum + result, 0);
            },
          },
          late: {
            execute: async (_, ctx) => {
              const id = await ctx.submit("wrong", {
                type: "double",
                input: { n: -1 },
                retryPolicy: { maxRetries: 0 },
              });
              try {
                return await ctx.waitFor(id);
              } catch (caught) {
                return caught instanceof JobError ? [caught.code, caught.message] : null;
              }
            },
          },
        },
      },
    );
    await runner.start();
  });
  afterAll(async () => {
    await runner.stop();
    await server.stop();
  });

  const submit = async (source: string, input: JsonValue = null): Promise<string> => {
    const { job } = await server.jobs.submitJob({
      spec: create(JobSpecSchema, {
        work: { case: "script", value: { source } },
        input: fromJson(ValueSchema, input),
        retryPolicy: {
          maxRetries: 1,
          initialBackoff: durationFromMs(20),
          multiplier: 1,
          jitter: 0,
        },
      }),
    });
    return job?.id ?? "";
  };
  const ended = async (jobId: string): Promise<Job> => {
    const { job } = await server.jobs.waitJob({ jobId });
    if (job === undefined) throw new Error("an answer without a job");
    return job;
  };
  const run = async (type: string, input: JsonValue): Promise<unknown> => {
    const { job, result } = await server.jobs.runJob({
      submit: {
        spec: create(JobSpecSchema, {
          work: { case: "type", value: type },
          input: fromJson(ValueSchema, input),
        }),
      },
    });
    expect(job).toMatchObject({ state: JobState.SUCCEEDED });
    return result === undefined ? undefined : toJson(ValueSchema, result);
  };
  const result = async (jobId: string): Promise<unknown> => {
    const found = await server.jobs.getJobResult({ jobId });
    return found.result === undefined ? undefined : toJson(ValueSchema, found.result);
  };
  const childrenOf = async (jobId: string): Promise<readonly Job[]> =>
    (await server.jobs.listJobs({ pageSize: 1_000 })).jobs.filter(
      ({ parentId }) => parentId === jobId,
    );

  it("are submitted and awaited by handlers and scripts, over several generations, on one slot", async () => {
    expect(await run("sum", [1, 2, 3])).toBe(12);
    // 1 + 2 + 4 jobs.
    expect(await run("family", { depth: 2, width: 2 })).toBe(7);
  });

  it("tell why they did not succeed", async () => {
    expect(await run("late", null)).toEqual([
      "child.failed",
      expect.stringMatching(/^the job [0-9a-f-]{36} failed: script.threw: too small/),
    ]);
    const jobId = await submit(
      'export default async (_, ctx) => await ctx.submit("x", { type: "nothing of the kind" })',
    );
    const { state, error } = await ended(jobId);
    expect({ state, code: error?.code }).toEqual({ state: JobState.FAILED, code: "child.refused" });
    expect(error?.message).toMatch(/nothing of the kind/);
  });

  it("are found again by the next attempt, by their names, whatever it would submit", async () => {
    const jobId = await submit(
      `export default async (_, ctx) => {
        const id = await ctx.submit("once", { type: "double", input: { n: ctx.attempt } });
        ctx.output(id);
        if (ctx.attempt === 1) throw new Error("again");
        return await ctx.waitFor(id);
      }`,
    );
    expect(await ended(jobId)).toMatchObject({
      state: JobState.SUCCEEDED,
      attempt: 2,
      childCount: 1,
    });
    expect(await result(jobId)).toBe(2);
    const { rows } = await server.jobs.listJobOutput({ jobId });
    expect(new Set(rows.map(({ text }) => text)).size).toBe(1);
  });

  it("go on when the process of their parent is killed while it waits for them", async () => {
    const jobId = await submit(
      `export default async (_, ctx) => {
        const id = await ctx.submit("slow", { script: { source: "export default async (_, ctx) => { await ctx.sleep(300); return 7; }" } });
        ctx.output("waits");
        return await ctx.waitFor(id);
      }`,
    );
    for await (const { output } of server.jobs.watchJob({ jobId })) {
      if (output.some(({ text }) => text === "waits")) break;
    }
    for (const pid of aliveChildren()) process.kill(pid, "SIGKILL");
    expect(await ended(jobId)).toMatchObject({ state: JobState.SUCCEEDED, attempt: 2 });
    expect(await result(jobId)).toBe(7);
  });

  it("are cancelled with their parent", async () => {
    const jobId = await submit(
      `export default async (_, ctx) => {
        const id = await ctx.submit("endless", { script: { source: "export default async (_, ctx) => { await ctx.sleep(60_000); }" } });
        ctx.output("waits");
        return await ctx.waitFor(id);
      }`,
    );
    for await (const { output } of server.jobs.watchJob({ jobId })) {
      if (output.some(({ text }) => text === "waits")) break;
    }
    await server.jobs.cancelJob({ jobId });
    expect(await ended(jobId)).toMatchObject({ state: JobState.CANCELLED });
    const [child] = await childrenOf(jobId);
    expect(await ended(child?.id ?? "")).toMatchObject({
      state: JobState.CANCELLED,
      cancelReason: "The job that submitted it was cancelled.",
      parentId: jobId,
    });
  });

  it("are waited for by their own parent alone", async () => {
    const stranger = await submit("export default () => 1");
    await ended(stranger);
    const jobId = await submit("export default async ({ id }, ctx) => await ctx.waitFor(id)", {
      id: stranger,
    });
    expect(await ended(jobId)).toMatchObject({ error: { code: "child.refused" } });
  });
});
