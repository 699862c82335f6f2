import { SERVER } from "../../src/jobs/audit.ts";
import type { DeliveryRow } from "../../src/jobs/delivery.ts";
import { type HookRow, THRESHOLD_METRICS } from "../../src/jobs/hook.ts";
import type { HookId, JobId, OrganizationId } from "../../src/jobs/ids.ts";
import { JOB_STATES } from "../../src/jobs/states.ts";
import type { Submission } from "../../src/jobs/submission.ts";
import type { Threshold } from "../../src/jobs/threshold.ts";
import type { Command } from "../../src/shard/commands/command.ts";
import { dropDeliveries } from "../../src/shard/commands/drop-deliveries.ts";
import { createHook, deleteHook, pauseHook, resumeHook } from "../../src/shard/commands/hook.ts";
import type { Store } from "../../src/store/store.ts";
import { aHookRow, onJobs } from "../support/hook-row.ts";
import { aJobRow, aSpecRow } from "../support/job-row.ts";
import { TYPES } from "./operator.ts";
import type { SimulatedServer } from "./servers.ts";
import type { World } from "./world.ts";

/** Labels that simulated jobs have, and hooks ask for. */
export const someLabels = (world: World): Record<string, string> =>
  world.dice.chance(0.4) ? { shop: world.dice.pick(["north", "south"]) } : {};

/** What a hook submits: as it is made by the server that sends its notices. */
export const hookSubmission = (world: World, delivery: DeliveryRow): Submission => {
  const { organizationId, jobType: type } = delivery;
  const job = aJobRow({ organizationId, id: world.uuid() as JobId, type });
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

const someThreshold = ({ dice }: World): Threshold => {
  const metric = dice.pick(THRESHOLD_METRICS);
  return {
    kind: "threshold",
    metric,
    type: dice.chance(0.3) ? dice.pick(TYPES) : "",
    above: metric === "FAILURE_RATIO" ? 0.2 : dice.between(0, 2),
    forMs: dice.pick([0, 0, 4_000, 8_000]),
  };
};

const someHook = (world: World, organizationId: OrganizationId): HookRow => {
  const { dice } = world;
  const states = dice.chance(0.5)
    ? (["SUCCEEDED", "FAILED", "CANCELLED"] as const)
    : JOB_STATES.filter(() => dice.chance(0.3));
  const event = onJobs({
    states: states.length === 0 ? ["RUNNING"] : states,
    types: dice.chance(0.4) ? TYPES.filter(() => dice.chance(0.7)) : [],
    labels: dice.chance(0.4) ? someLabels(world) : {},
  });
  // Hooks that submit wait for ends alone: what they come to grows with every state.
  const submits = dice.chance(0.5);
  const isOnNumber = dice.chance(0.35);
  return aHookRow({
    organizationId,
    id: world.uuid() as HookId,
    event: isOnNumber
      ? someThreshold(world)
      : submits
        ? { ...event, states: [dice.pick(["SUCCEEDED", "FAILED", "RUNNING"])] }
        : event,
    target: submits
      ? { kind: "job", type: dice.pick(TYPES) }
      : { kind: "url", url: `https://receiver-${dice.between(1, 12)}.example/hook` },
  });
};

/** Somebody who makes a hook, pauses and resumes it, and perhaps deletes it. */
export const keepHook = async (
  { world, store, servers }: { world: World; store: Store; servers: readonly SimulatedServer[] },
  organizationId: OrganizationId,
  until: number,
): Promise<void> => {
  const { dice } = world;
  const hook = someHook(world, organizationId);
  const once = async <T>(command: Command<T>): Promise<T> =>
    await dice
      .pick(servers)
      .call(async ({ router }) => await router.ownerOf(organizationId).perform(command));
  /** Until it is acknowledged: whoever got no answer asks again. */
  const persist = async (command: Command<unknown>): Promise<void> => {
    for (;;) {
      try {
        await once(command);
        return;
      } catch {
        await world.pause(dice.between(50, 500));
      }
    }
  };
  await world.pause(dice.between(0, 2_000));
  await persist(createHook(hook, null, SERVER));
  while (world.now < until) {
    await world.pause(dice.between(500, 8_000));
    await persist(dice.chance(0.4) ? pauseHook(hook, "", SERVER) : resumeHook(hook, SERVER));
  }
  if (dice.chance(0.7)) {
    await persist(resumeHook(hook, SERVER));
    return;
  }
  await persist(deleteHook(hook, SERVER));
  // Whoever deletes it drops what is owed, unless he dies: then it is dropped when it is tried.
  if (dice.chance(0.5)) return;
  const page = { after: null, limit: 1_000 };
  const pending = async ({ router }: { router: { shardOf(id: OrganizationId): number } }) => {
    const place = { organizationId, shardId: router.shardOf(organizationId) };
    return await world.real(async () => await store.hooks.pending(place, hook.id, page));
  };
  await dice
    .pick(servers)
    .call(
      async ({ router }) =>
        await router
          .ownerOf(organizationId)
          .perform(dropDeliveries(organizationId, await pending({ router }))),
    )
    .catch(() => {});
};
