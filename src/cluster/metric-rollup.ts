import type { OrganizationId } from "../jobs/ids.ts";
import type { Millis } from "../jobs/job.ts";
import { intervalOf, Point, type PointRow, type Resolution, rollUp } from "../jobs/metric.ts";
import type { Clock } from "../runtime/clock.ts";
import { heardAll } from "../runtime/event-loop.ts";
import type { ShardActor } from "../shard/actor.ts";
import { closeMinutes, writeRollup } from "../shard/commands/metrics.ts";
import type {
  IdentityStore,
  MetricStore,
  Place,
  PointKey,
  PointsWanted,
  ShardId,
} from "../store/store.ts";

/** Commits that were decided at the end of an hour have been made by then. */
const GRACE_MS = 10_000;
const PAGE = 1_000;
const BATCH = 200;
const ORGANIZATIONS = 100;

export type RollupOptions = {
  readonly metrics: Pick<MetricStore, "points" | "rollups" | "oldest" | "remove">;
  readonly identity: Pick<IdentityStore, "listOrganizations">;
  readonly clock: Clock;
  readonly shardOf: (organizationId: OrganizationId) => ShardId;
};

export type Owner = Pick<ShardActor, "perform" | "isBusy">;

/** The shard was loaded anew, or moved, while its points were rolled up: the next round begins again. */
class Interrupted extends Error {
  override readonly name = "Interrupted";
  constructor(shardId: ShardId) {
    super(`the points of shard ${shardId} are rolled up again`);
  }
}

/** The organizations of one shard, in pages. */
export async function* placesOf(
  { identity, shardOf }: Pick<RollupOptions, "identity" | "shardOf">,
  shardId: ShardId,
): AsyncGenerator<Place> {
  let after: OrganizationId | null = null;
  for (;;) {
    const page: readonly { readonly id: OrganizationId }[] = await identity.listOrganizations({
      after,
      limit: ORGANIZATIONS,
    });
    for (const { id: organizationId } of page) {
      if (shardOf(organizationId) === shardId) yield { shardId, organizationId };
    }
    after = page.at(-1)?.id ?? null;
    if (page.length < ORGANIZATIONS) return;
  }
}

async function* rowsOf(
  { metrics }: Pick<RollupOptions, "metrics">,
  place: Place,
  wanted: PointsWanted,
): AsyncGenerator<PointRow> {
  let after: PointKey | null = null;
  for (;;) {
    const page: PointRow[] = await metrics.points(place, wanted, after, PAGE);
    yield* page;
    after = page.at(-1) ?? null;
    if (page.length < PAGE) return;
    await heardAll();
  }
}

/** The rows of one organization, interval by interval: no more than one is held. */
async function* rolledUp(
  options: RollupOptions,
  place: Place,
  source: PointsWanted,
  resolution: Resolution,
): AsyncGenerator<PointRow> {
  const { organizationId } = place;
  let at = Number.NEGATIVE_INFINITY;
  let points = new Map<string, Point>();
  for await (const row of rowsOf(options, place, source)) {
    const interval = intervalOf(resolution, row.at);
    if (interval !== at) {
      yield* rollUp({ organizationId, resolution, at }, points);
      at = interval;
      points = new Map();
    }
    const point = points.get(row.type) ?? new Point();
    point.add(row);
    points.set(row.type, point);
  }
  yield* rollUp({ organizationId, resolution, at }, points);
}

const FINER = { HOUR: "MINUTE", DAY: "HOUR" } as const;

/**
 * Rolls what is finished of one shard up into hours or days, by commits of its owner. Harmless however
 * often it begins again: a row is a function of finer points that do not change any more, under a key
 * of its own, and how far it has come is written after all of it. Answers up to where it came.
 */
export const rollUpShard = async (
  options: RollupOptions,
  shardId: ShardId,
  owner: Pick<Owner, "perform">,
  resolution: "HOUR" | "DAY",
  rowsOfCommit = BATCH,
): Promise<Millis> => {
  const { metrics, clock } = options;
  const marks = await metrics.rollups(shardId);
  const source = FINER[resolution];
  const done = resolution === "HOUR" ? clock.now() - GRACE_MS : (marks.HOUR ?? 0);
  const until = intervalOf(resolution, done);
  const first = marks[resolution] ?? (await metrics.oldest(shardId, source)) ?? until;
  const from = intervalOf(resolution, Math.min(first, until));
  if (marks[resolution] !== undefined && from >= until) return from;
  if (resolution === "HOUR") await owner.perform(closeMinutes(until));

  const write = async (rows: readonly PointRow[], end: Millis | null): Promise<void> => {
    const rollup = end === null ? null : { resolution, until: end };
    if (await owner.perform(writeRollup(rows, rollup, until))) return;
    throw new Interrupted(shardId);
  };
  let batch: PointRow[] = [];
  for await (const place of placesOf(options, shardId)) {
    const wanted = { resolution: source, from, until, types: [] };
    for await (const row of rolledUp(options, place, wanted, resolution)) {
      batch.push(row);
      if (batch.length < rowsOfCommit) continue;
      await write(batch, null);
      batch = [];
    }
  }
  await write(batch, until);
  return until;
};
