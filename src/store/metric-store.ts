/** What the store knows of points of metrics and of who may read them. */
import type { UserId } from "../jobs/ids.ts";
import type { Millis } from "../jobs/job.ts";
import type { MetricGrantRow, PointRow, Resolution } from "../jobs/metric.ts";
import type { AuditLine } from "./identity-store.ts";
import type { Place, ShardId } from "./store.ts";

/** Up to where points have been rolled up into each resolution; absent: none ever were. */
export type Rollups = Readonly<Partial<Record<Resolution, Millis>>>;

export type PointsWanted = {
  readonly resolution: Resolution;
  /** Inclusive. */
  readonly from: Millis;
  /** Exclusive. */
  readonly until: Millis;
  /** Empty: all. */
  readonly types: readonly string[];
};

/** A place in the order of points of one organization and resolution. */
export type PointKey = Pick<PointRow, "at" | "type" | "writer">;

export interface PointReader {
  /** By time, type and writer; what comes after `after`, if it is given. */
  points(
    place: Place,
    wanted: PointsWanted,
    after: PointKey | null,
    limit: number,
  ): Promise<PointRow[]>;
}

export interface MetricStore extends PointReader {
  rollups(shardId: ShardId): Promise<Rollups>;
  /** When the oldest point of a shard begins; null if there is none. Walks over all of them. */
  oldest(shardId: ShardId, resolution: Resolution): Promise<Millis | null>;
  /**
   * Removes the oldest points from before `before`, about `limit`; answers with how many. Not fenced:
   * whoever does it twice does no harm.
   */
  remove(place: Place, resolution: Resolution, before: Millis, limit: number): Promise<number>;
  /** By user; everybody's first. */
  grants(place: Place): Promise<MetricGrantRow[]>;
  /** Those of these users alone; "" stands for everybody. */
  grantsOf(place: Place, userIds: readonly (UserId | "")[]): Promise<MetricGrantRow[]>;
  /** In the place of what he had. False, and nothing is changed, where there are `most` others already. */
  putGrant(place: Place, grant: MetricGrantRow, most: number, line: AuditLine): Promise<boolean>;
  /** False if there is none. The line is written where there was one. */
  removeGrant(place: Place, userId: UserId | "", line: AuditLine): Promise<boolean>;
}
