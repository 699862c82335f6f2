import { TURN_BOUNDS } from "../../src/shard/turn-bounds.ts";
import { createCluster } from "../../src/cluster/cluster.ts";
import { createAttempt } from "../../src/delivery/attempt.ts";
import { createDispatcher } from "../../src/delivery/dispatcher.ts";
import { createPassOver } from "../../src/delivery/pass-over.ts";
import { NO_TRACES } from "../../src/delivery/traces.ts";
import { SERVER } from "../../src/jobs/audit.ts";
import type { DeliveryRow } from "../../src/jobs/delivery.ts";
import { type JobId, type OrganizationId, SCRIPT } from "../../src/jobs/ids.ts";
import type { Answer, Message } from "../../src/outgoing/post.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { redeliver } from "../../src/shard/commands/delivery.ts";
import { silentShardObserver } from "../../src/shard/observer.ts";
import { STANDARD_LIMITS, type Store } from "../../src/store/store.ts";
import { openSimulatedStore } from "../simulation/open-store.ts";
import { addOrganizations } from "../simulation/operator.ts";
import { World } from "../simulation/world.ts";
import { aSubmission } from "./job-row.ts";

/** Milliseconds, and what comes then. */
export type Reply = { readonly after: number; readonly status: number };

/** A server that sends, in simulated time, from a real store in memory. */
export type Sending = {
  readonly world: World;
  /** The URLs of all requests so far. */
  readonly asked: string[];
  /** So many jobs of the organization have ended, each with a callback to that URL. */
  owe(organizationId: OrganizationId, url: string, count: number): Promise<JobId[]>;
  deliveryOf(organizationId: OrganizationId, jobId: JobId | undefined): Promise<DeliveryRow>;
  redeliver(row: DeliveryRow): Promise<void>;
  /** Simulated time goes on until `done` says so; false if that is not within `ms`. */
  run(done: () => boolean, ms: number): Promise<boolean>;
  stop(): Promise<void>;
};

/** Simulated time waits for every call of the store. */
const waitedFor = (world: World, store: Store): Store => {
  const wrap = (target: object): object =>
    new Proxy(target, {
      get: (from, name) => {
        const value: unknown = Reflect.get(from, name);
        if (typeof value === "object" && value !== null) return wrap(value);
        if (typeof value !== "function") return value;
        return async (...args: unknown[]) =>
          await world.real(async () => (await Reflect.apply(value, from, args)) as unknown);
      },
    });
  return wrap(store) as Store;
};

export const startSending = async (
  organizations: readonly OrganizationId[],
  reply: (url: string) => Reply,
): Promise<Sending> => {
  const world = new World(1);
  const real = await openSimulatedStore(() => world.now);
  await addOrganizations(real, world, [...organizations], () => STANDARD_LIMITS);
  const store = waitedFor(world, real);
  const clock = world.clock(0, () => true);
  const random = world.random();
  const cluster = createCluster({
    bounds: TURN_BOUNDS,
    ...{ store, clock, random, log: silentLog, observer: silentShardObserver },
    gather: async () => {},
    serverId: "one",
    internalUrl: "sim://one",
    checkInput: async (_organizationId, { input }) =>
      await Promise.resolve({ kind: "input", input }),
    onDeliveries: (shardId, deliveries) => {
      dispatcher.noticed(shardId, deliveries);
    },
  });
  const asked: string[] = [];
  const post = async ({ url }: Message): Promise<Answer> => {
    asked.push(url);
    const { after, status } = reply(url);
    await world.pause(after);
    return { status, retryAfter: "", error: status === 0 ? "no answer" : "" };
  };
  const { router } = cluster;
  const { deliveries, jobs } = store;
  const submitJob = async (): Promise<null> => {
    throw new Error("no job is owed");
  };
  const attempt = createAttempt({
    ...{ deliveries, jobs, router, post, submitJob, clock, random },
    traces: NO_TRACES,
  });
  const dispatcher = createDispatcher({
    ...{ store: deliveries, attempt, passOver: createPassOver(router), clock, log: silentLog },
    owned: () => cluster.owned(),
    limits: { atOnce: 16, atOncePerReceiver: 4 },
    drainMs: 1_000,
  });
  const done = async (work: Promise<unknown>): Promise<void> => {
    let ended = false;
    void work.finally(() => (ended = true));
    if (!(await world.run(() => ended, 60_000))) throw new Error("it does not come to its end");
    await work;
  };
  await done(cluster.start().then(async () => await dispatcher.start()));

  const placeOf = (organizationId: OrganizationId) => ({
    shardId: router.shardOf(organizationId),
    organizationId,
  });
  return {
    world,
    asked,
    owe: async (organizationId, url, count) => {
      const owner = router.ownerOf(organizationId);
      const submissions = Array.from({ length: count }, () =>
        aSubmission({
          ...{ id: world.uuid() as JobId, organizationId, capability: SCRIPT },
          ...{ callbackUrl: url, callbackState: "PENDING", createdAt: world.now, runAt: world.now },
        }),
      );
      await done(owner.submit(submissions));
      const cancel = async ({ id }: { readonly id: JobId }): Promise<unknown> =>
        await owner.cancel(organizationId, id, { reason: "", by: SERVER });
      await done(Promise.all(submissions.map(async ({ job }) => await cancel(job))));
      return submissions.map(({ job }) => job.id);
    },
    deliveryOf: async (organizationId, jobId) => {
      if (jobId === undefined) throw new Error("there is no such job");
      const filter = { of: { jobId }, states: [], callbacksOnly: true };
      const page = { before: null, limit: 1 };
      const [row] = await real.deliveries.list(placeOf(organizationId), filter, page);
      if (row === undefined) throw new Error("the job owes nothing");
      return row;
    },
    redeliver: async (row) => {
      await done(router.ownerOf(row.organizationId).perform(redeliver(row, SERVER)));
    },
    run: async (isDone, ms) => await world.run(isDone, ms),
    stop: async () => {
      await done(dispatcher.stop().then(async () => await cluster.stop()));
      await real.close();
    },
  };
};
