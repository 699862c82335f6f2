import type { Client } from "@connectrpc/connect";

import { JobState } from "../src/gen/millrace/v1/job_pb.ts";
import type { JobService } from "../src/gen/millrace/v1/job_service_pb.ts";
import { inLanes, percentile, type Figure } from "./figures.ts";
import type { Service } from "./service.ts";
import { addTenant } from "./tenants.ts";
import { HEAVY, textOf, withProber, type Waits } from "./waits.ts";

const NEIGHBOURS = [1, 20, 100];
const SAMPLES = 60;
/** Between two jobs: a tenant that wants more than its share waits for its share. */
const PAUSE_MS = 200;
const SLOTS = 20;
/** Of each neighbour: more than there are slots, so that one of them alone would fill them all. */
const MAX_RUNNING = 50;
/** Jobs of all neighbours together; more than the slots can do while the samples are taken. */
const BACKLOG = 6_000;
const BATCH = 60;

const QUEUED = { filter: { states: [JobState.QUEUED] }, pageSize: 1 };

const ratio = (waits: Waits, alone: Waits): string => {
  const times = (share: number): string =>
    `${(percentile(waits, share) / percentile(alone, share)).toFixed(1)}×`;
  return `${textOf(waits)}; ${times(0.5)} and ${times(0.99)} of alone`;
};

const fillQueue = async (jobs: Client<typeof JobService>, count: number): Promise<void> => {
  await inLanes(1, count / BATCH, async () => {
    const requests = Array.from({ length: BATCH }, () => ({ spec: HEAVY }));
    const { outcomes } = await jobs.submitJobs({ requests });
    for (const { outcome } of outcomes) {
      if (outcome.case !== "submitted")
        throw new Error(`a submission failed: ${outcome.value?.message}`);
    }
  });
};

/** The light tenant's wait beside neighbours that keep their queues full, all in one shard. */
export const benchFairness = async (service: Service): Promise<Figure[]> => {
  const near = service.site.organizationId;
  const figures: Figure[] = [];
  let alone: Waits = [];
  const tokens = await service.whileStopped(
    async (store) =>
      await Promise.all(
        Array.from(
          { length: Math.max(...NEIGHBOURS) + 1 },
          async () => await addTenant(store, near, MAX_RUNNING),
        ),
      ),
  );
  await inLanes(4, tokens.length, async (index) => {
    await service.putHandler(index === 0 ? "light" : "heavy", tokens[index]);
  });
  const [light, ...neighbours] = tokens.map((token) => service.clientOf(token));
  if (light === undefined) throw new Error("there are no tenants");
  await withProber(service, SLOTS, async (prober) => {
    await prober.measure(light, 20, 0);
    alone = await prober.measure(light, SAMPLES, PAUSE_MS);
    figures.push({ name: "light tenant alone, submit → started", value: textOf(alone) });
    for (const count of NEIGHBOURS) {
      const heavy = neighbours.slice(0, count);
      await inLanes(4, count, async (index) => {
        const jobs = heavy[index];
        if (jobs !== undefined) await fillQueue(jobs, BACKLOG / count);
      });
      const waits = await prober.measure(light, SAMPLES, PAUSE_MS);
      for (const jobs of heavy) {
        if ((await jobs.listJobs(QUEUED)).jobs.length === 0)
          throw new Error(`a queue ran empty beside ${count}`);
      }
      const name = count === 1 ? "beside 1 heavy neighbour" : `beside ${count} heavy neighbours`;
      figures.push({ name, value: ratio(waits, alone) });
    }
  });
  return figures;
};
