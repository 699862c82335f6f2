/** What the store tells of notices; the owner of their shard writes them. */
import type {
  DeliveryRow,
  DeliveryState,
  DeliveryTryRow,
  SigningSecretRow,
} from "../jobs/delivery.ts";
import type { DeliveryId, HookId, JobId, OrganizationId } from "../jobs/ids.ts";
import type { Millis } from "../jobs/job.ts";
import type { DeliveryKey, Place, ShardId } from "./store.ts";

/** One receiver of one organization, while a notice waits for it. */
export type Receiver = { readonly origin: string; readonly organizationId: OrganizationId };

export type DeliveryFilter = {
  /** All of one job, or all of one hook. */
  readonly of: { readonly jobId: JobId } | { readonly hookId: HookId };
  /** Empty: any. */
  readonly states: readonly DeliveryState[];
  /** Without those of hooks. */
  readonly callbacksOnly: boolean;
};

export interface DeliveryStore {
  find(place: Place, id: DeliveryId): Promise<DeliveryRow | null>;
  /** Newest first, by descending id; `before` is the last id of the page before. */
  list(
    place: Place,
    filter: DeliveryFilter,
    page: { readonly before: string | null; readonly limit: number },
  ): Promise<DeliveryRow[]>;
  /** First to last; of more than 1,000 the newest. */
  tries(place: Place, id: DeliveryId): Promise<DeliveryTryRow[]>;
  /**
   * Who waits in that shard, and since or until when, in the order of their names, after `after`.
   * Costs as much as there are receivers, however many notices wait for each.
   */
  receivers(
    shardId: ShardId,
    after: Receiver | null,
    limit: number,
  ): Promise<readonly (Receiver & { readonly nextTryAt: Millis })[]>;
  /** What waits for one receiver, by the time of its next try; without `except`. */
  waiting(
    shardId: ShardId,
    receiver: Receiver,
    except: readonly DeliveryId[],
    limit: number,
  ): Promise<DeliveryRow[]>;
  /** Also those that have expired; oldest first. Empty `hookId`: of the organization's callbacks. */
  secrets(place: Place, hookId: HookId | ""): Promise<SigningSecretRow[]>;
  /** That may be removed, the longest overdue first. */
  purgeable(shardId: ShardId, now: Millis, limit: number): Promise<DeliveryKey[]>;
}
