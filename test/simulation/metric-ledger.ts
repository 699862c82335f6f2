import { shardOf } from "../../src/cluster/shard-of.ts";
import type { OrganizationId } from "../../src/jobs/ids.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import { Point, type PointRow, type Resolution } from "../../src/jobs/metric.ts";
import type { Place, ShardChanges, Store } from "../../src/store/store.ts";
import { broken, faultOf } from "./broken.ts";

const COUNTED = [
  "submitted",
  "started",
  "succeeded",
  "failed",
  "cancelled",
  "retried",
  "attempts",
] as const;
type Counted = Record<(typeof COUNTED)[number], number>;

const NONE: Counted = {
  submitted: 0,
  started: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  retried: 0,
  attempts: 0,
};

const ENDINGS = { SUCCEEDED: "succeeded", FAILED: "failed", CANCELLED: "cancelled" } as const;

/** What the points have to come to, counted from the rows of jobs alone as they are committed. */
export class MetricLedger {
  readonly #counts = new Map<string, Counted>();
  readonly #organizations = new Set<OrganizationId>();
  /** Up to where minutes are rolled up, by shard. */
  readonly #hours = new Map<number, number>();
  /** Hours and days that were found to be rolled up. */
  rolledUp = 0;

  /** `jobs` are as they were before the commit. */
  committed(shardId: number, changes: ShardChanges, jobs: ReadonlyMap<string, JobRow>): void {
    this.#checkRollup(shardId, changes);
    const now = new Map(jobs);
    for (const row of [...changes.inserted, ...changes.updated]) {
      this.#see(row, jobs.get(row.id));
      now.set(row.id, row);
    }
    for (const { jobId } of changes.attempts) {
      const row = now.get(jobId);
      if (row !== undefined) this.#of(row).attempts += 1;
    }
  }

  /** No commit changes what an earlier one said to be rolled up. */
  #checkRollup(shardId: number, { points, rollups }: ShardChanges): void {
    const until = this.#hours.get(shardId) ?? 0;
    for (const { organizationId, resolution, at } of points) {
      if (resolution !== "MINUTE" || at >= until) continue;
      broken("what was rolled up does not change", { organizationId, at, until });
    }
    for (const row of rollups) {
      if (row.resolution === "HOUR") this.#hours.set(shardId, row.until);
    }
  }

  /** What the points in the database do not say. */
  async differences(store: Store): Promise<string[]> {
    const shards = (await store.shards.list()).length;
    const stored = new Map<string, Counted>();
    for (const organizationId of this.#organizations) {
      const place = { organizationId, shardId: shardOf(organizationId, shards) };
      const rows = await pointsOf(store, place, "MINUTE", Number.MAX_SAFE_INTEGER);
      for (const row of rows) {
        const point = new Point();
        point.add(row);
        if (point.queue.count !== row.started || point.total.count !== endingsOf(row)) {
          return [faultOf("every job is counted once", { durations: row })];
        }
      }
      for (const [type, sum] of sumsOf(rows)) stored.set(`${organizationId}/${type}`, sum);
      for (const resolution of ["HOUR", "DAY"] as const) {
        const until = (await store.metrics.rollups(place.shardId))[resolution] ?? 0;
        const finer = sumsOf(rows.filter(({ at }) => at < until));
        const coarse = sumsOf(await pointsOf(store, place, resolution, until));
        this.rolledUp += coarse.size;
        if (textOf(finer) === textOf(coarse)) continue;
        const facts = { organizationId, resolution, finer: [...finer], coarse: [...coarse] };
        return [faultOf("hours and days are the sums of their minutes", facts)];
      }
    }
    const [told, counted] = [textOf(stored), textOf(this.#counts)];
    return told === counted ? [] : [faultOf("every job is counted once", { told, counted })];
  }

  #of({ organizationId, type }: JobRow): Counted {
    this.#organizations.add(organizationId);
    const key = `${organizationId}/${type}`;
    const known = this.#counts.get(key);
    if (known !== undefined) return known;
    const counts = { ...NONE };
    this.#counts.set(key, counts);
    return counts;
  }

  #see(row: JobRow, before: JobRow | undefined): void {
    const counts = this.#of(row);
    if (before === undefined) counts.submitted += 1;
    counts.started += row.attempt - (before?.attempt ?? 0);
    const retries = row.retryCount - (before?.retryCount ?? 0);
    counts.retried += retries;
    // A job that was ended ends again only after it was retried, or revived with one that was: what
    // else changes of it is no end.
    const hadEnded = before !== undefined && before.endedAt !== null && retries === 0;
    const endedAgain = hadEnded && before.endedAt !== row.endedAt;
    if (!(row.state in ENDINGS) || (hadEnded && !endedAgain)) return;
    counts[ENDINGS[row.state as keyof typeof ENDINGS]] += 1;
  }
}

const endingsOf = (row: Counted | Pick<Counted, "succeeded" | "failed" | "cancelled">): number =>
  row.succeeded + row.failed + row.cancelled;

const pointsOf = async (
  store: Store,
  place: Place,
  resolution: Resolution,
  until: number,
): Promise<readonly PointRow[]> =>
  await store.metrics.points(place, { resolution, from: 0, until, types: [] }, null, 1_000_000);

/** By type. */
const sumsOf = (rows: readonly PointRow[]): Map<string, Counted> => {
  const sums = new Map<string, Counted>();
  for (const row of rows) {
    const point = new Point();
    point.add(row);
    const sum = sums.get(row.type) ?? { ...NONE };
    const counts = { ...point.counts, attempts: point.run.count };
    for (const name of COUNTED) sum[name] += counts[name];
    sums.set(row.type, sum);
  }
  return sums;
};

const textOf = (counts: ReadonlyMap<string, Counted>): string =>
  JSON.stringify([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
