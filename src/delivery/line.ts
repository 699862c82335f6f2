import type { DeliveryId } from "../jobs/ids.ts";
import type { Millis } from "../jobs/job.ts";
import type { Receiver, ShardId } from "../store/store.ts";
import type { Origin } from "./origin.ts";

/** What one organization has for one receiver. What waits there stands in the database alone. */
export class Line {
  readonly shardId: ShardId;
  readonly receiver: Receiver;
  readonly origin: Origin;
  /** Strictly rising: lines of one moment have an order. */
  readonly number: number;
  /** In the heap of those that sleep. */
  position = -1;
  /** From when on something waits there; Infinity: nothing is known to. */
  nextAt: Millis = Number.POSITIVE_INFINITY;
  /** Its receiver said nothing: until then nothing more is sent there. */
  aloneUntil: Millis = Number.NEGATIVE_INFINITY;
  /** It stands in a ring, waits for a place at its receiver, or is being read. */
  isAwake = false;
  /** Its newest try brought no answer. */
  isSilent: boolean;
  /** The shard is another server's: nothing more is sent from here. */
  isGone = false;
  /** Places that it has been given. */
  inFlight = 0;
  /** Under way, until what came of it is committed. */
  readonly sending = new Set<DeliveryId>();

  constructor(
    at: Pick<Line, "shardId" | "receiver" | "origin">,
    number: number,
    isSilent: boolean,
  ) {
    this.shardId = at.shardId;
    this.receiver = at.receiver;
    this.origin = at.origin;
    this.number = number;
    this.isSilent = isSilent;
  }

  get wakesAt(): Millis {
    return Math.max(this.nextAt, this.aloneUntil);
  }
}
