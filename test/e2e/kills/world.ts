import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { expect } from "vitest";

import { HookService } from "../../../src/gen/millrace/v1/hook_service_pb.ts";
import { JobState } from "../../../src/gen/millrace/v1/job_pb.ts";
import { JobService } from "../../../src/gen/millrace/v1/job_service_pb.ts";
import { Metric, MetricsService } from "../../../src/gen/millrace/v1/metrics_service_pb.ts";
import type { EngineName } from "../../support/databases.ts";
import { type MillraceProcess, runnerProcess, ServerProcess } from "../../support/processes.ts";
import { bearer } from "../../support/server.ts";
import { prepareSite } from "../../support/site.ts";
import { createMigrated } from "../../support/templates.ts";

/** A server as a process, its runners, and the calls of an admin. */
export type World = {
  readonly server: ServerProcess;
  readonly jobs: Client<typeof JobService>;
  readonly hooks: Client<typeof HookService>;
  newRunner(): Promise<MillraceProcess>;
  /** Resolves when so many jobs have ended. */
  untilEnded(count: number): Promise<void>;
  /** Checks that so many jobs are in the numbers, each once, whichever server counted it. */
  checkCounts(count: number): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** A connection that breaks is INTERNAL to some stacks; the service's own INTERNAL has details. */
const isAway = (error: unknown): boolean => {
  const { code, details } = ConnectError.from(error);
  if (code === Code.Internal) return details.length === 0;
  return [Code.Unavailable, Code.Canceled, Code.Aborted, Code.DeadlineExceeded].includes(code);
};

const ENDED = [JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED];

const pause = async (ms: number): Promise<void> =>
  await new Promise((resolve) => setTimeout(resolve, ms));

/** Asks again while the server is away, as any client has to. */
export const persistently = async <T>(call: () => Promise<T>): Promise<T> => {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!isAway(error)) throw error;
      await pause(50);
    }
  }
};

/** How many jobs there are in these states; in any, if none is named. */
export const countOf = async (
  jobs: Client<typeof JobService>,
  states: JobState[],
): Promise<number> => {
  const { total } = await persistently(
    async () => await jobs.listJobs({ filter: { states }, pageSize: 1, includeTotal: true }),
  );
  return Number(total ?? 0n);
};

export const startWorld = async (
  engine: EngineName,
  facts: { readonly slots: number; readonly maxRunning?: number },
): Promise<World> => {
  await using stack = new AsyncDisposableStack();
  const database = await createMigrated(engine);
  stack.defer(async () => await database.drop());
  const site = await prepareSite(database.url, facts.maxRunning ?? null);
  const server = await ServerProcess.at(site, { MILLRACE_CALLBACK_ALLOW: "127.0.0.1" });
  stack.defer(async () => await server.kill("SIGKILL"));
  await server.start();
  const transport = createGrpcTransport({
    baseUrl: server.addresses.publicUrl,
    interceptors: [bearer(site.token)],
  });
  const jobs = createClient(JobService, transport);
  const kept = stack.move();
  return {
    server,
    jobs,
    hooks: createClient(HookService, transport),
    newRunner: async () => {
      const environment = { MILLRACE_RUNNER_SLOTS: String(facts.slots) };
      const runner = runnerProcess(site, server.addresses, environment);
      kept.defer(async () => await runner.kill("SIGKILL"));
      await runner.start();
      return runner;
    },
    untilEnded: async (count) => {
      while ((await countOf(jobs, ENDED)) < count) await pause(100);
    },
    checkCounts: async (count) => {
      const { series } = await createClient(MetricsService, transport).queryMetrics({
        metrics: [Metric.SUBMITTED, Metric.SUCCEEDED, Metric.FAILED, Metric.TOTAL_DURATION],
        startTime: timestampFromMs(Date.now() - 600_000),
      });
      const counts = series.map(({ total }) => total?.value.value);
      expect(counts.slice(0, 3)).toEqual([BigInt(count), BigInt(count), 0n]);
      expect(counts[3]).toMatchObject({ count: BigInt(count) });
    },
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
};
