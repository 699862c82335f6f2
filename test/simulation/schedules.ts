import { SERVER } from "../../src/jobs/audit.ts";
import type { JobId, OrganizationId } from "../../src/jobs/ids.ts";
import type { ScheduleRow } from "../../src/jobs/schedule.ts";
import type { Submission } from "../../src/jobs/submission.ts";
import { nextTime } from "../../src/schedules/cron.ts";
import { createSchedule, pauseSchedule } from "../../src/shard/commands/schedule.ts";
import type { Store } from "../../src/store/store.ts";
import { aJobRow, aSpecRow } from "../support/job-row.ts";
import { aScheduleRow } from "../support/schedule-row.ts";
import type { SimulatedServer } from "./servers.ts";
import type { World } from "./world.ts";

/** What a schedule submits: as it is made by the server that fires it. */
export const scheduledSubmission = (world: World, schedule: ScheduleRow): Submission => {
  const { organizationId, id: scheduleId } = schedule;
  const job = aJobRow({ organizationId, id: world.uuid() as JobId, scheduleId, name: scheduleId });
  return {
    idIsChosen: false,
    job,
    spec: aSpecRow(job),
    script: null,
    request: null,
    deferred: false,
    refusal: null,
    by: SERVER,
  };
};

/** Makes a schedule, and pauses it when the storm is over, so that the history comes to an end. */
export const keepSchedule = async (
  { world, store, servers }: { world: World; store: Store; servers: readonly SimulatedServer[] },
  facts: { readonly organizationId: OrganizationId; readonly cron: string; readonly until: number },
): Promise<void> => {
  const { organizationId, cron, until } = facts;
  const row = aScheduleRow({ organizationId, id: `schedule-${cron}`, cron, catchUp: "ALL" });
  /** Until it is acknowledged: whoever got no answer asks again. */
  const persist = async <T>(work: (server: SimulatedServer) => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await work(world.dice.pick(servers));
      } catch {
        await world.pause(world.dice.between(50, 500));
      }
    }
  };
  await world.pause(world.dice.between(0, 3_000));
  await persist(
    async (server) =>
      await server.call(
        async (cluster) =>
          await cluster.router
            .ownerOf(organizationId)
            .perform(createSchedule(row, nextTime, SERVER)),
      ),
  );
  await world.pause(until - world.now);
  await persist(
    async (server) =>
      await server.call(async ({ router }) => {
        const place = { organizationId, shardId: router.shardOf(organizationId) };
        const read = await world.real(async () => await store.schedules.find(place, row.id));
        if (read === null) throw new Error("an acknowledged schedule is lost");
        return await router
          .ownerOf(organizationId)
          .perform(pauseSchedule(read, "the storm is over", SERVER));
      }),
  );
};
