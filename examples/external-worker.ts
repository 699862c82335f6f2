/**
 * A worker for external jobs (docs/external-jobs.md): watches for running jobs of a type, does their
 * work, and reports with UpdateJob. Its token needs `jobs:view` for the jobs to be seen and
 * `job-write` to report on them.
 *
 *     MILLRACE_URL=… MILLRACE_INTERNAL_URL=… MILLRACE_TOKEN=… node examples/external-worker.ts print-label
 *
 * It may be killed at any time and started again: it finds what runs and goes on with its reports.
 */
import { setTimeout as sleep } from "node:timers/promises";

import { fromJson, type JsonValue, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import {
  type Client,
  Code,
  ConnectError,
  createClient,
  type Interceptor,
} from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

import {
  JobUpdateService,
  type UpdateJobRequestSchema,
} from "../src/gen/millrace/internal/v1/job_update_service_pb.ts";
import { type Job, JobState } from "../src/gen/millrace/v1/job_pb.ts";
import { JobService } from "../src/gen/millrace/v1/job_service_pb.ts";

export type WorkerOptions = {
  readonly url: string;
  readonly internalUrl: string;
  readonly token: string;
  /** Whose jobs are watched for. */
  readonly type: string;
  /** Ends the worker. What it was doing is left to whoever watches next. */
  readonly signal: AbortSignal;
};

/** Does the work of one job. `signal` aborts when the job is cancelled. What it throws fails the attempt. */
export type Perform = (
  input: JsonValue,
  progress: (fraction: number, message?: string) => Promise<void>,
  signal: AbortSignal,
) => Promise<JsonValue>;

type Report = Omit<MessageInitShape<typeof UpdateJobRequestSchema>, "$typeName">;
type Clients = {
  readonly jobs: Client<typeof JobService>;
  readonly updates: Client<typeof JobUpdateService>;
};

const RETRY_MS = 1_000;

const connect = ({ url, internalUrl, token }: WorkerOptions): Clients => {
  const bearer: Interceptor = (next) => async (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return await next(request);
  };
  const to = (baseUrl: string) => createGrpcTransport({ baseUrl, interceptors: [bearer] });
  return {
    jobs: createClient(JobService, to(url)),
    updates: createClient(JobUpdateService, to(internalUrl)),
  };
};

/** Repeats a call until the server has answered: a report with the same sequence is applied once. */
const persist = async <T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> => {
  for (;;) {
    try {
      return await call();
    } catch (caught) {
      if (ConnectError.from(caught).code !== Code.Unavailable) throw caught;
      await sleep(RETRY_MS, undefined, { signal });
    }
  }
};

/** The attempt is over for us: it timed out, another attempt runs, or somebody ended the job. */
const isOver = (caught: unknown): boolean =>
  [Code.Aborted, Code.FailedPrecondition, Code.NotFound].includes(ConnectError.from(caught).code);

const handle = async (
  { jobs, updates }: Clients,
  { id: jobId, attempt }: Job,
  perform: Perform,
  stop: AbortSignal,
): Promise<void> => {
  const cancelled = new AbortController();
  const signal = AbortSignal.any([stop, cancelled.signal]);
  let seq = 0n;
  const report = async (more: Report): Promise<void> => {
    for (;;) {
      seq += 1n;
      const answer = await persist(
        stop,
        async () => await updates.updateJob({ jobId, attempt, seq, ...more }),
      );
      if (answer.cancelRequested) cancelled.abort();
      if (answer.lastSeq <= seq) return;
      // An earlier life of this worker had come further: this report was not taken.
      seq = answer.lastSeq;
    }
  };

  await report({});
  const { input } = await persist(stop, async () => await jobs.getJobInput({ jobId }));
  const ending = await perform(
    input === undefined ? null : toJson(ValueSchema, input),
    async (fraction, message = "") => await report({ progress: { fraction, message } }),
    signal,
  ).then(
    (result): Report["ending"] => ({ case: "result", value: fromJson(ValueSchema, result) }),
    (caught: unknown): Report["ending"] => {
      stop.throwIfAborted();
      if (isOver(caught) && caught instanceof ConnectError) throw caught;
      if (cancelled.signal.aborted) return { case: "cancelled", value: {} };
      const message = caught instanceof Error ? caught.message : String(caught);
      return { case: "error", value: { code: "worker.failed", message, retryable: true } };
    },
  );
  if (ending !== undefined) await report({ ending });
};

/** Works until `signal` aborts. */
export const work = async (options: WorkerOptions, perform: Perform): Promise<void> => {
  const { type, signal } = options;
  const clients = connect(options);
  const held = new Set<string>();

  const begin = (job: Job): void => {
    const name = `${job.id}#${job.attempt}`;
    if (job.state !== JobState.RUNNING || held.has(name)) return;
    held.add(name);
    handle(clients, job, perform, signal)
      .catch((caught: unknown) => {
        if (!signal.aborted && !isOver(caught)) console.error(`job ${job.id}:`, caught);
      })
      .finally(() => held.delete(name));
  };

  const filter = { type, states: [JobState.RUNNING] };
  while (!signal.aborted) {
    try {
      for await (const { jobs } of clients.jobs.watchJobs({ filter }, { signal }))
        jobs.forEach(begin);
    } catch (caught) {
      if (signal.aborted) return;
      console.error("the watch broke; trying again:", ConnectError.from(caught).message);
      await sleep(RETRY_MS, undefined, { signal }).catch(() => {});
    }
  }
};

/** Prints a label, line by line. */
const printLabel: Perform = async (input, progress, signal) => {
  const lines = JSON.stringify(input, null, 2).split("\n");
  for (const [index, line] of lines.entries()) {
    signal.throwIfAborted();
    console.log(line);
    await progress((index + 1) / lines.length, `line ${index + 1}`);
  }
  return { lines: lines.length };
};

if (import.meta.main) {
  const needed = (name: string): string => {
    const value = process.env[name];
    if (value === undefined) throw new Error(`${name} is missing`);
    return value;
  };
  const stop = new AbortController();
  process.once("SIGINT", () => {
    stop.abort();
  });
  await work(
    {
      url: needed("MILLRACE_URL"),
      internalUrl: needed("MILLRACE_INTERNAL_URL"),
      token: needed("MILLRACE_TOKEN"),
      type: process.argv[2] ?? "print-label",
      signal: stop.signal,
    },
    printLabel,
  );
}
