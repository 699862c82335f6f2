import type { DeliveryId } from "../jobs/ids.ts";
import type { Millis } from "../jobs/job.ts";
import type { Receiver, ShardId } from "../store/store.ts";

/** What one organization has for one receiver. What waits there stands in the database alone. */
export class Line {
  readonly shardId: ShardId;
  readonly receiver: Receiver;
  /** Strictly rising: lines of one moment have an order. */
  readonly number: number;
  /** In the heap of those that sleep. */
  position = -1;
  /** From when on something waits there; Infinity: nothing is known to. */
  nextAt: Millis = Number.POSITIVE_INFINITY;
  /** It stands in a ring, or is being read. */
  isAwake = false;
  /** The shard is another server's: nothing more is sent from here. */
  isGone = false;
  /** Under way, until what came of it is committed. */
  readonly sending = new Set<DeliveryId>();

  constructor(shardId: ShardId, receiver: Receiver, number: number) {
    this.shardId = shardId;
    this.receiver = receiver;
    this.number = number;
  }
}
