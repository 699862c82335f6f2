import type { OrganizationId } from "../jobs/ids.ts";
import { AUDIT_RETENTION_MS } from "../jobs/limits.ts";
import { type Clock, sleep } from "../runtime/clock.ts";
import { every, type Repetition } from "../runtime/every.ts";
import type { Log } from "../runtime/log.ts";
import type { ShardActor } from "../shard/actor.ts";
import type { Command } from "../shard/commands/command.ts";
import { purgeDeliveries } from "../shard/commands/delivery.ts";
import { purge, type Removal } from "../shard/commands/purge.ts";
import { purgeWorkflows } from "../shard/commands/purge-workflows.ts";
import type {
  DeliveryStore,
  IdentityStore,
  PurgeableWorkflow,
  PurgedJob,
  ShardId,
  ShardStore,
} from "../store/store.ts";

const ROUND_MS = 2_000;
/** Of one shard in one round: the others wait for their next no longer than this. */
const LONGEST_SWEEP_MS = 10_000;
const AUDIT_ROUND_MS = 60 * 60 * 1_000;
/** Jobs of one commit. */
const BATCH = 100;
/** Workflows of one commit, and their steps, unless a single one has more. */
const WORKFLOWS = 20;
const STEPS = 500;
/** Notices of one commit. */
const NOTICES = 200;
/** Rows of output that go with their job; of a job with more, so many go before it. */
const PIECE = 500;
/** Rows of output of one commit. */
const MOST_OUTPUT = 2_000;
const SHORTEST_PAUSE_MS = 10;
const AUDIT_BATCH = 500;
const ORGANIZATIONS = 100;

export type RetentionOptions = {
  readonly shards: Pick<
    ShardStore,
    "purgeable" | "purgeableWorkflows" | "outputLeft" | "removeAudit"
  >;
  readonly deliveries: Pick<DeliveryStore, "purgeable">;
  readonly identity: Pick<IdentityStore, "listOrganizations">;
  readonly clock: Clock;
  readonly log: Log;
  /** The owners of the shards that this server serves now. */
  readonly actors: ReadonlyMap<ShardId, Pick<ShardActor, "perform" | "isBusy">>;
  readonly shardOf: (organizationId: OrganizationId) => ShardId;
};

/**
 * What of these jobs one commit takes: whole jobs while their output fits, pieces of the output of
 * the others.
 */
export const removalsOf = async (
  shards: Pick<ShardStore, "outputLeft">,
  shardId: ShardId,
  jobs: readonly PurgedJob[],
): Promise<Removal[]> => {
  const removals: Removal[] = [];
  let rows = 0;
  for (const job of jobs) {
    if (rows >= MOST_OUTPUT) break;
    const left = job.outputCount <= PIECE ? null : await shards.outputLeft(shardId, job, PIECE + 1);
    const output = left !== null && left.length > PIECE ? left.slice(0, PIECE) : null;
    removals.push({ job: { ...job, outputCount: left?.length ?? job.outputCount }, output });
    rows += left?.length ?? job.outputCount;
  }
  return removals;
};

/** Those that one commit takes: at least one, for each goes as a whole. */
export const fewSteps = (workflows: readonly PurgeableWorkflow[]): PurgeableWorkflow[] => {
  let steps = 0;
  return workflows.filter(({ stepCount }, index) => {
    steps += stepCount;
    return index === 0 || steps <= STEPS;
  });
};

/**
 * Removes what its time has come for, shard by shard, in small commits with pauses as long as the
 * commits: half of a shard's time at most, and none while its callers queue up. Jobs, notices and
 * workflows take turns. What is to go stands in the database, and the owner looks again before it goes.
 */
export const createRetention = (options: RetentionOptions): Repetition => {
  const { shards, deliveries, identity, clock, log, actors, shardOf } = options;
  const stopping = new AbortController();
  /** Which kind each shard begins with next. */
  const turns = new Map<ShardId, number>();

  /** A batch of each kind; null if there is nothing of it. */
  const kinds: readonly ((shardId: ShardId) => Promise<Command<number> | null>)[] = [
    async (shardId) => {
      const jobs = await shards.purgeable(shardId, clock.now(), BATCH);
      return jobs.length === 0 ? null : purge(await removalsOf(shards, shardId, jobs));
    },
    async (shardId) => {
      const notices = await deliveries.purgeable(shardId, clock.now(), NOTICES);
      return notices.length === 0 ? null : purgeDeliveries(notices);
    },
    async (shardId) => {
      const workflows = await shards.purgeableWorkflows(shardId, clock.now(), WORKFLOWS);
      return workflows.length === 0 ? null : purgeWorkflows(fewSteps(workflows));
    },
  ];

  /** What is due of the kind whose turn it is, so that none waits until another is done; null: nothing. */
  const nextPurge = async (shardId: ShardId): Promise<Command<number> | null> => {
    const first = turns.get(shardId) ?? 0;
    for (let passed = 0; passed < kinds.length; passed += 1) {
      const turn = (first + passed) % kinds.length;
      const command = (await kinds[turn]?.(shardId)) ?? null;
      turns.set(shardId, turn + 1);
      if (command !== null) return command;
    }
    return null;
  };

  const sweep = async (
    shardId: ShardId,
    actor: Pick<ShardActor, "perform" | "isBusy">,
  ): Promise<void> => {
    const until = clock.monotonic() + LONGEST_SWEEP_MS;
    while (actors.get(shardId) === actor && !actor.isBusy) {
      const begun = clock.monotonic();
      if (begun >= until) return;
      const command = await nextPurge(shardId);
      if (command === null) return;
      await actor.perform(command);
      const took = clock.monotonic() - begun;
      await sleep(clock, Math.max(SHORTEST_PAUSE_MS, took), stopping.signal);
    }
  };

  const sweepAll = async (): Promise<void> => {
    const swept = await Promise.allSettled(
      [...actors].map(async ([shardId, actor]) => await sweep(shardId, actor)),
    );
    for (const result of swept) {
      if (result.status === "fulfilled" || stopping.signal.aborted) continue;
      const error: unknown = result.reason;
      log.warn({ error }, "retention failed for a shard; it is tried again");
    }
  };

  const sweepAudit = async (): Promise<void> => {
    const before = clock.now() - AUDIT_RETENTION_MS;
    let after: OrganizationId | null = null;
    for (;;) {
      const page: readonly { readonly id: OrganizationId }[] = await identity.listOrganizations({
        after,
        limit: ORGANIZATIONS,
      });
      for (const { id } of page) {
        const shardId = shardOf(id);
        const place = { shardId, organizationId: id };
        while (actors.has(shardId)) {
          if ((await shards.removeAudit(place, before, AUDIT_BATCH)) < AUDIT_BATCH) break;
          if (stopping.signal.aborted) return;
          await sleep(clock, SHORTEST_PAUSE_MS);
        }
      }
      after = page.at(-1)?.id ?? null;
      if (page.length < ORGANIZATIONS) return;
    }
  };

  const repeat = { clock, log };
  const jobs = every({ ...repeat, name: "retention", ms: ROUND_MS, run: sweepAll });
  const audit = every({
    ...repeat,
    name: "retention of the audit log",
    ms: AUDIT_ROUND_MS,
    run: sweepAudit,
  });
  return {
    start: () => {
      jobs.start();
      audit.start();
    },
    stop: async () => {
      stopping.abort();
      await jobs.stop();
      await audit.stop();
    },
  };
};
