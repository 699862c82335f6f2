import { shardOf } from "../../src/cluster/shard-of.ts";
import type { OrganizationId } from "../../src/jobs/ids.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import { Point } from "../../src/jobs/metric.ts";
import type { ShardChanges, Store } from "../../src/store/store.ts";
import { faultOf } from "./broken.ts";

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

  /** `jobs` are as they were before the commit. */
  committed(changes: ShardChanges, jobs: ReadonlyMap<string, JobRow>): void {
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

  /** What the points in the database do not say. */
  async differences(store: Store): Promise<string[]> {
    const shards = (await store.shards.list()).length;
    const stored = new Map<string, Counted>();
    for (const organizationId of this.#organizations) {
      const place = { organizationId, shardId: shardOf(organizationId, shards) };
      const all = {
        resolution: "MINUTE" as const,
        from: 0,
        until: Number.MAX_SAFE_INTEGER,
        types: [],
      };
      for (const row of await store.metrics.points(place, all, null, 1_000_000)) {
        const point = new Point();
        point.add(row);
        const key = `${organizationId}/${row.type}`;
        const sum = stored.get(key) ?? { ...NONE };
        const counts = { ...point.counts, attempts: point.run.count };
        for (const name of COUNTED) sum[name] += counts[name];
        if (point.queue.count !== row.started || point.total.count !== endingsOf(row)) {
          return [faultOf("every job is counted once", { durations: row })];
        }
        stored.set(key, sum);
      }
    }
    const [told, counted] = [stored, this.#counts].map((counts) =>
      JSON.stringify([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    );
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
