import { systemRandom } from "../src/runtime/random.ts";
import { createRunner, type Handler, type Runner } from "../runner/index.ts";
import type { Service } from "./service.ts";
import { inLanes, percentile, spaced, type Figure } from "./figures.ts";
import { handlerJob } from "./work.ts";
import type { JobSpec } from "../src/gen/millrace/v1/job_pb.ts";

const BATCH = 500;
/** Each look costs the server about as much as a job. */
const LOOK_MS = 100;

const NOOP = handlerJob("noop");

/** Clients of one or more organizations, which take turns. */
type Clients = readonly Service["jobs"][];

const submitAll = async (clients: Clients, spec: JobSpec, count: number): Promise<void> => {
  await inLanes(4, count / BATCH, async (index) => {
    await clients[index % clients.length]?.submitJobs({
      requests: Array.from({ length: BATCH }, () => ({ spec })),
    });
  });
};

/** Whether some job has not ended. Asks for one job, not for a count, which would cost the database. */
const someLeft = async (jobs: Service["jobs"]): Promise<boolean> => {
  const page = await jobs.listJobs({ filter: { states: [3, 4, 5, 6] }, pageSize: 1 });
  return page.jobs.length > 0;
};

const failed = async (jobs: Service["jobs"]): Promise<number> => {
  const { total } = await jobs.listJobs({ filter: { states: [8, 9] }, includeTotal: true });
  return Number(total ?? 0n);
};

/** Submits `count` jobs while they are being processed, and takes the time until all have ended. */
export const rateOf = async (clients: Clients, spec: JobSpec, count: number): Promise<number> => {
  const begun = performance.now();
  await submitAll(clients, spec, count);
  for (const jobs of clients) {
    while (await someLeft(jobs)) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  const rate = (count * 1_000) / (performance.now() - begun);
  for (const jobs of clients) {
    if ((await failed(jobs)) > 0) throw new Error("some jobs of the benchmark failed");
  }
  return rate;
};

/** One job after the other on an idle system, from the call to its result. */
export const latency = async (clients: Clients, spec: JobSpec, count: number): Promise<string> => {
  const samples: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const begun = performance.now();
    const answer = await clients[index % clients.length]?.runJob({ submit: { spec } });
    samples.push(performance.now() - begun);
    if (answer?.job?.state !== 7) throw new Error(`a job ended in state ${answer?.job?.state}`);
  }
  const [p50, p99] = [percentile(samples, 0.5), percentile(samples, 0.99)];
  return `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
};

/** A runner in this process. */
export const runnerOf = (
  service: Service,
  slots: number,
  handlers: Readonly<Record<string, Handler>>,
): Runner =>
  createRunner({
    url: service.internalUrl,
    credential: service.site.runnerToken,
    slots,
    handlers,
    displayName: `bench-${systemRandom.uuid()}`,
  });

/** No-op jobs through a trusted executor: what the service itself can do. */
export const benchHandlers = async (service: Service): Promise<Figure[]> => {
  const runner = runnerOf(service, 1_000, {
    noop: { execute: async () => await Promise.resolve(null) },
  });
  await service.putHandler("noop");
  await runner.start();
  try {
    const clients = [service.jobs];
    await rateOf(clients, NOOP, 5_000);
    const rate = await rateOf(clients, NOOP, 40_000);
    return [
      { name: "no-op jobs, trusted executor, submitted and processed", value: `${spaced(rate)}/s` },
      { name: "no-op job, idle, submit → finished", value: await latency(clients, NOOP, 300) },
    ];
  } finally {
    await runner.stop();
  }
};
