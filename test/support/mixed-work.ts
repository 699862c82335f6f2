import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";

import { parseSettings, type RunnerSettings } from "../../runner/settings.ts";
import { type Job, JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import type { JobService } from "../../src/gen/millrace/v1/job_service_pb.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { startSite } from "./egress-site.ts";

/** Scripts that use a slot in different ways. */
export const KINDS = {
  /** Some 50 ms of processor time. */
  computes: `export default () => {
    let sum = 0;
    for (let i = 0; i < 2e7; i++) sum = (sum * 31 + i) % 1_000_003;
    return sum;
  }`,
  sleeps: "export default async (input, ctx) => { await ctx.sleep(50); return 1; }",
  /** Waits for a slow server behind the egress broker. */
  fetches: `export default async () => (await fetch("upstream://slow/")).status`,
} as const;

const SLOW_MS = 50;

/** The server that `fetches` waits for. */
export type SlowServer = {
  /** Of a runner whose scripts reach it. */
  readonly settings: RunnerSettings;
  close(): Promise<void>;
};

export const startSlowServer = async (): Promise<SlowServer> => {
  const site = await startSite((_request, response) => {
    systemClock.after(SLOW_MS, () => {
      response.end("slow");
    });
  });
  const yaml = `upstreams: { slow: { url: "http://127.0.0.1:${site.port}/" } }`;
  return { settings: parseSettings(yaml, "runner.yaml"), close: site.close };
};

export type Kind = keyof typeof KINDS;

/** One attempt of a kind, in milliseconds; times are those of the server. */
export type Run = {
  readonly kind: Kind;
  readonly submitted: number;
  readonly started: number;
  readonly ended: number;
  readonly cpuMs: number;
};

const toRun = (kind: Kind, job: Job | undefined): Run => {
  const { createTime, startTime, endTime, cpuTime } = job ?? {};
  const complete =
    createTime !== undefined &&
    startTime !== undefined &&
    endTime !== undefined &&
    cpuTime !== undefined;
  if (!complete || job?.state !== JobState.SUCCEEDED || job.attempt !== 1) {
    throw new Error(`a job that ${kind} went wrong: ${job?.error?.message}`);
  }
  return {
    kind,
    submitted: timestampMs(createTime),
    started: timestampMs(startTime),
    ended: timestampMs(endTime),
    cpuMs: durationMs(cpuTime),
  };
};

/** Submits `count` jobs of the kind at once; answers with what waits for all of them. */
export const submitKind = async (
  jobs: Client<typeof JobService>,
  kind: Kind,
  count: number,
): Promise<() => Promise<Run[]>> => {
  const work = { case: "script" as const, value: { source: KINDS[kind] } };
  const spec = { work, retryPolicy: { maxRetries: 0 } };
  const { outcomes } = await jobs.submitJobs({
    requests: Array.from({ length: count }, () => ({ spec })),
  });
  const ended = async (jobId: string): Promise<Job | undefined> => {
    for (;;) {
      const { job } = await jobs.waitJob({ jobId, maxWait: { seconds: 30n } });
      if (job === undefined || job.endTime !== undefined) return job;
    }
  };
  return async () =>
    await Promise.all(
      outcomes.map(async ({ outcome }) =>
        toRun(kind, await ended(outcome.case === "submitted" ? (outcome.value.job?.id ?? "") : "")),
      ),
    );
};
