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
import { type Heard, startReceiver } from "../../support/receiver.ts";
import { bearer } from "../../support/server.ts";
import { prepareSite } from "../../support/site.ts";
import { createMigrated } from "../../support/templates.ts";

/** Work that is under way while processes are killed. */
export type Work = {
  /** The jobs that it comes to, with those that they make. */
  readonly count: number;
  /** Once all have ended: each did so once, with its own result. */
  check(): Promise<void>;
};

/** A server as a process, its runners, a hook that hears of every job, and the calls of an admin. */
export type World = {
  readonly server: ServerProcess;
  readonly jobs: Client<typeof JobService>;
  newRunner(): Promise<MillraceProcess>;
  /** Resolves when so many jobs have ended. */
  untilEnded(count: number): Promise<void>;
  /** Checks that so many jobs are in the numbers, each once, whichever server counted it. */
  checkCounts(count: number): Promise<void>;
  /** Checks that the hook hears of so many jobs at least once, of each under one id. */
  checkNotices(count: number): Promise<void>;
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

/** The ids of the messages that arrived, by the job that they tell of. */
const idsByJob = (heard: readonly Heard[]): Map<string, Set<string>> => {
  const ids = new Map<string, Set<string>>();
  for (const { id, body } of heard) {
    const { data } = JSON.parse(body) as { data: { id: string } };
    ids.set(data.id, (ids.get(data.id) ?? new Set()).add(id));
  }
  return ids;
};

const SLOTS = 8;
const MAX_RUNNING = 12;

export const startWorld = async (engine: EngineName): Promise<World> => {
  await using stack = new AsyncDisposableStack();
  const receiver = await startReceiver();
  stack.defer(async () => await receiver.close());
  const database = await createMigrated(engine);
  stack.defer(async () => await database.drop());
  const site = await prepareSite(database.url, MAX_RUNNING);
  const server = await ServerProcess.at(site, { MILLRACE_CALLBACK_ALLOW: "127.0.0.1" });
  stack.defer(async () => await server.kill("SIGKILL"));
  await server.start();
  const transport = createGrpcTransport({
    baseUrl: server.addresses.publicUrl,
    interceptors: [bearer(site.token)],
  });
  const jobs = createClient(JobService, transport);
  await createClient(HookService, transport).createHook({
    spec: {
      event: { case: "jobs", value: {} },
      target: { case: "url", value: `${receiver.url}/` },
    },
  });
  const kept = stack.move();
  return {
    server,
    jobs,
    newRunner: async () => {
      const environment = { MILLRACE_RUNNER_SLOTS: String(SLOTS) };
      const runner = runnerProcess(site, server.addresses, environment);
      kept.defer(async () => await runner.kill("SIGKILL"));
      await runner.start();
      return runner;
    },
    untilEnded: async (count) => {
      while ((await countOf(jobs, ENDED)) < count) await pause(250);
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
    checkNotices: async (count) => {
      let ids = idsByJob(receiver.heard);
      for (let heard = count; ids.size < count; heard += 1) {
        await receiver.until("/", heard);
        ids = idsByJob(receiver.heard);
      }
      expect(ids.size).toBe(count);
      for (const known of ids.values()) expect(known.size).toBe(1);
    },
    [Symbol.asyncDispose]: async () => await kept.disposeAsync(),
  };
};
