import type { Service } from "./service.ts";
import { inLanes, spaced, type Figure } from "./figures.ts";
import { handlerJob } from "./work.ts";

const BATCH = 500;

/** A job that no runner of the bench can run: it stays in the queue. */
const parked = { spec: handlerJob("parked") };

const batched = async ({ jobs }: Service, lanes: number, calls: number): Promise<number> => {
  const seconds = await inLanes(lanes, calls, async () => {
    const { outcomes } = await jobs.submitJobs({
      requests: Array.from({ length: BATCH }, () => parked),
    });
    for (const { outcome } of outcomes) {
      if (outcome.case !== "submitted") throw new Error(`a submission failed: ${outcome.case}`);
    }
  });
  return (calls * BATCH) / seconds;
};

const single = async ({ jobs }: Service, lanes: number, calls: number): Promise<number> => {
  const seconds = await inLanes(lanes, calls, async () => {
    await jobs.submitJob(parked);
  });
  return calls / seconds;
};

/** A call that does nothing: what the protocol itself takes on this machine. */
const idleCalls = async ({ health }: Service, lanes: number, calls: number): Promise<number> => {
  const seconds = await inLanes(lanes, calls, async () => {
    await health.check({});
  });
  return calls / seconds;
};

/** Durable submissions per second, with a 100-byte payload. */
export const benchSubmits = async (service: Service): Promise<Figure[]> => {
  await service.putHandler("parked");
  await batched(service, 4, 10);
  return [
    {
      name: "for comparison: health checks, 32 in flight",
      value: `${spaced(await idleCalls(service, 32, 8_000))}/s`,
    },
    {
      name: `submits, batches of ${BATCH}, 4 in flight`,
      value: `${spaced(await batched(service, 4, 120))}/s`,
    },
    { name: "submits, one by one", value: `${spaced(await single(service, 1, 1_000))}/s` },
    {
      name: "submits, single, 32 in flight",
      value: `${spaced(await single(service, 32, 8_000))}/s`,
    },
  ];
};
