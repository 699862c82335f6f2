import { readdirSync, readFileSync } from "node:fs";

import { fromJson, toJson } from "@bufbuild/protobuf";
import { timestampFromMs, ValueSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient, type Client } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";

import { AttemptOutcome, JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import { JobService } from "../../src/gen/millrace/v1/job_service_pb.ts";
import { Metric, MetricsService } from "../../src/gen/millrace/v1/metrics_service_pb.ts";
import { ENGINES, type EngineName } from "../support/databases.ts";
import { type MillraceProcess, runnerProcess, ServerProcess } from "../support/processes.ts";
import { bearer } from "../support/server.ts";
import { prepareSite } from "../support/site.ts";
import { createMigrated } from "../support/templates.ts";

const JOBS = 100;
const SOURCE = `export default async function (input, ctx) {
  console.log("job", input);
  const made = await ctx.step("make", () => ctx.attempt);
  ctx.output("made in attempt " + made);
  ctx.progress(0.5);
  await ctx.sleep(60);
  return input * 2;
}`;

/** A connection that breaks is INTERNAL to some stacks; the service's own INTERNAL has details. */
const isAway = (error: unknown): boolean => {
  const { code, details } = ConnectError.from(error);
  if (code === Code.Internal) return details.length === 0;
  return [Code.Unavailable, Code.Canceled, Code.Aborted, Code.DeadlineExceeded].includes(code);
};

/** Asks again while the server is away, as any client has to. */
const persistently = async <T>(call: () => Promise<T>): Promise<T> => {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!isAway(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
};

const childrenOf = (pid: number): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "latin1");
        return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === pid;
      } catch {
        return false;
      }
    })
    .map(Number);

const countOf = async (jobs: Client<typeof JobService>, states: JobState[]): Promise<number> => {
  const { total } = await persistently(
    async () => await jobs.listJobs({ filter: { states }, pageSize: 1, includeTotal: true }),
  );
  return Number(total ?? 0n);
};

const untilSucceeded = async (jobs: Client<typeof JobService>, count: number): Promise<void> => {
  while ((await countOf(jobs, [JobState.SUCCEEDED])) < count) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

const submitAll = async (jobs: Client<typeof JobService>): Promise<Map<string, number>> => {
  const acknowledged = new Map<string, number>();
  for (let index = 0; index < JOBS; index += 1) {
    const { job } = await persistently(
      async () =>
        await jobs.submitJob({
          requestId: `job-${index}`,
          spec: {
            work: { case: "script", value: { source: SOURCE } },
            input: fromJson(ValueSchema, index),
          },
        }),
    );
    acknowledged.set(job?.id ?? "", index);
  }
  return acknowledged;
};

/** Every acknowledged job succeeded once, with its own result; all of its attempts saw one step. */
const check = async (jobs: Client<typeof JobService>, acknowledged: Map<string, number>) => {
  expect(acknowledged.size).toBe(JOBS);
  expect(await countOf(jobs, [])).toBe(JOBS);
  for (const [jobId, index] of acknowledged) {
    const { result } = await jobs.getJobResult({ jobId });
    expect(result && toJson(ValueSchema, result)).toBe(index * 2);
    const { attempts } = await jobs.listJobAttempts({ jobId });
    expect(attempts.filter(({ outcome }) => outcome === AttemptOutcome.SUCCEEDED)).toHaveLength(1);
    expect(attempts.at(-1)?.outcome).toBe(AttemptOutcome.SUCCEEDED);
    const { rows } = await jobs.listJobOutput({ jobId });
    const made = rows.flatMap(({ text }) => (text.startsWith("made") ? [text] : []));
    expect(new Set(made).size).toBe(1);
  }
};

/** Every job is in the numbers once, whichever server counted it. */
const checkCounts = async (baseUrl: string, token: string): Promise<void> => {
  const transport = createGrpcTransport({ baseUrl, interceptors: [bearer(token)] });
  const { series } = await createClient(MetricsService, transport).queryMetrics({
    metrics: [Metric.SUBMITTED, Metric.SUCCEEDED, Metric.FAILED, Metric.TOTAL_DURATION],
    startTime: timestampFromMs(Date.now() - 600_000),
  });
  const counts = series.map(({ total }) => total?.value.value);
  expect(counts.slice(0, 3)).toEqual([BigInt(JOBS), BigInt(JOBS), 0n]);
  expect(counts[3]).toMatchObject({ count: BigInt(JOBS) });
};

const survive = async (engine: EngineName): Promise<void> => {
  const database = await createMigrated(engine);
  const site = await prepareSite(database.url);
  const server = await ServerProcess.at(site);
  const runners: MillraceProcess[] = [];
  const newRunner = async (): Promise<MillraceProcess> => {
    const runner = runnerProcess(site, server.addresses, { MILLRACE_RUNNER_SLOTS: "4" });
    runners.push(runner);
    await runner.start();
    return runner;
  };
  try {
    await server.start();
    const first = await newRunner();
    const jobs = createClient(
      JobService,
      createGrpcTransport({
        baseUrl: server.addresses.publicUrl,
        interceptors: [bearer(site.token)],
      }),
    );
    const submitting = submitAll(jobs);

    await untilSucceeded(jobs, 10);
    await server.kill("SIGKILL");
    await server.start();

    await untilSucceeded(jobs, 30);
    const child = childrenOf(first.pid)[0];
    if (child === undefined) throw new Error("the runner has no sandbox child");
    process.kill(child, "SIGKILL");

    await untilSucceeded(jobs, 50);
    await first.kill("SIGKILL");
    await newRunner();

    await untilSucceeded(jobs, JOBS);
    await check(jobs, await submitting);
    await checkCounts(server.addresses.publicUrl, site.token);
  } finally {
    for (const runner of runners) await runner.kill("SIGKILL");
    await server.kill("SIGKILL");
    await database.drop();
  }
};

describe.concurrent("the server, a sandbox child and the runner are killed among a hundred jobs", () => {
  test.each(ENGINES)(
    "every acknowledged job ends exactly once on %s",
    { timeout: 120_000 },
    survive,
  );
});
