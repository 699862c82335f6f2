import { LRUCache } from "lru-cache";

import type { DeliveryId } from "../jobs/ids.ts";
import type { Millis } from "../jobs/job.ts";
import { Heap } from "../shard/heap.ts";
import type { Receiver, ShardId } from "../store/store.ts";
import { Line } from "./line.ts";
import { Ring } from "./ring.ts";

/** A receiver, whoever sends to it. */
type Origin = {
  inFlight: number;
  /** Due, and waiting for a place there. */
  readonly parked: Line[];
};

/** Places that were given to a line. */
export type Grant = { readonly line: Line; readonly room: number; readonly ring: Ring };

export type LineLimits = { readonly atOnce: number; readonly atOncePerReceiver: number };

/** Lines beyond these are not taken in; whoever looks for lines again finds them later. */
const MOST_LINES = 50_000;
/** Of receivers that do not answer, those that were tried last are known. */
const MOST_SILENT = 10_000;

const keyOf = (shardId: ShardId, { origin, organizationId }: Receiver): string =>
  `${shardId} ${organizationId} ${origin}`;

/**
 * Who is sent to next. A receiver has a few places, and one while it does not answer; those that do
 * not answer share a quarter of all places, so that many of them together delay nobody else. Holds
 * no notices: only which receivers have some, and from when on.
 */
export class Lines {
  readonly #limits: LineLimits;
  readonly #lines = new Map<string, Line>();
  readonly #origins = new Map<string, Origin>();
  /** Those whose newest try brought no answer. */
  readonly #silences = new LRUCache<string, true>({ max: MOST_SILENT });
  readonly #asleep = new Heap<Line>(
    (a, b) => a.nextAt < b.nextAt || (a.nextAt === b.nextAt && a.number < b.number),
  );
  readonly #answering: Ring;
  readonly #silent: Ring;
  #inFlight = 0;
  #numbers = 0;

  constructor(limits: LineLimits) {
    this.#limits = limits;
    const silent = Math.max(1, Math.floor(limits.atOnce / 4));
    this.#silent = new Ring(silent);
    this.#answering = new Ring(limits.atOnce - silent);
  }

  get isFull(): boolean {
    return this.#lines.size >= MOST_LINES;
  }

  /** Something waits there from `at` on. */
  expect(shardId: ShardId, receiver: Receiver, at: Millis): void {
    const key = keyOf(shardId, receiver);
    let line = this.#lines.get(key);
    if (line === undefined) {
      if (this.isFull) return;
      line = new Line(shardId, receiver, (this.#numbers += 1));
      this.#lines.set(key, line);
    }
    if (at >= line.nextAt) return;
    line.nextAt = at;
    if (line.isAwake) return;
    if (this.#asleep.has(line)) this.#asleep.update(line);
    else this.#asleep.push(line);
  }

  /** When the next line is due; Infinity if none is known to be. */
  wakesAt(): Millis {
    return this.#asleep.first()?.nextAt ?? Number.POSITIVE_INFINITY;
  }

  /** Since when something is due that nobody sends yet; null if nothing is. Looks at every line. */
  dueSince(now: Millis): Millis | null {
    let since: Millis | null = null;
    for (const { nextAt } of this.#lines.values()) {
      if (nextAt <= now && nextAt < (since ?? Number.POSITIVE_INFINITY)) since = nextAt;
    }
    return since;
  }

  /** The next line that is due and has places, which are its own until they are given back. */
  next(now: Millis): Grant | null {
    for (let line = this.#asleep.first(); line !== undefined && line.nextAt <= now;) {
      this.#asleep.remove(line);
      this.#wake(line);
      line = this.#asleep.first();
    }
    return this.#from(this.#answering) ?? this.#from(this.#silent);
  }

  /** What a look at the line showed: these are sent now, and more waits from `nextAt` on. */
  looked({ line, room, ring }: Grant, taken: readonly DeliveryId[], nextAt: Millis): void {
    for (const id of taken) line.sending.add(id);
    line.isAwake = false;
    line.nextAt = Math.min(line.nextAt, nextAt);
    this.#use(line, ring, taken.length - room);
    if (line.isGone) return;
    if (line.nextAt !== Number.POSITIVE_INFINITY) this.#asleep.push(line);
    else this.#dropIfIdle(line);
  }

  /** A notice is no longer under way. */
  done({ line, ring }: Grant, id: DeliveryId): void {
    line.sending.delete(id);
    this.#use(line, ring, -1);
    this.#dropIfIdle(line);
  }

  /** Whether the receiver answered, however. */
  answered({ line }: Grant, did: boolean): void {
    if (did) this.#silences.delete(line.receiver.origin);
    else this.#silences.set(line.receiver.origin, true);
  }

  /** Only these shards are this server's. */
  keepOnly(shards: ReadonlySet<ShardId>): void {
    for (const [key, line] of this.#lines) {
      if (shards.has(line.shardId)) continue;
      this.#lines.delete(key);
      this.#asleep.remove(line);
      line.isGone = true;
    }
  }

  #wake(line: Line): void {
    line.isAwake = true;
    (this.#isSilent(line) ? this.#silent : this.#answering).push(line);
  }

  #from(ring: Ring): Grant | null {
    for (;;) {
      const room = this.#limits.atOnce - this.#inFlight;
      const next = room > 0 ? ring.shift() : null;
      if (next === null) return null;
      const { line } = next;
      if (line.isGone) continue;
      const origin = this.#origin(line);
      const places = Math.min(room, next.room, this.#placesAt(line, origin));
      if (places <= 0) {
        origin.parked.push(line);
      } else if (this.#isSilent(line) && ring === this.#answering) {
        this.#silent.push(line);
      } else {
        line.nextAt = Number.POSITIVE_INFINITY;
        this.#use(line, ring, places);
        return { line, room: places, ring };
      }
    }
  }

  #isSilent({ receiver }: Line): boolean {
    return this.#silences.has(receiver.origin);
  }

  #placesAt(line: Line, { inFlight }: Origin): number {
    return (this.#isSilent(line) ? 1 : this.#limits.atOncePerReceiver) - inFlight;
  }

  /** Takes places, or gives them back if there are less than none. */
  #use(line: Line, ring: Ring, places: number): void {
    const origin = this.#origin(line);
    origin.inFlight += places;
    this.#inFlight += places;
    ring.use(line.receiver.organizationId, places);
    for (let free = this.#placesAt(line, origin); free > 0; free -= 1) {
      const parked = origin.parked.shift();
      if (parked === undefined) break;
      this.#wake(parked);
    }
    if (origin.inFlight === 0 && origin.parked.length === 0) {
      this.#origins.delete(line.receiver.origin);
    }
  }

  #origin({ receiver: { origin } }: Line): Origin {
    const known = this.#origins.get(origin);
    if (known !== undefined) return known;
    const fresh = { inFlight: 0, parked: [] };
    this.#origins.set(origin, fresh);
    return fresh;
  }

  #dropIfIdle(line: Line): void {
    const isIdle = line.sending.size === 0 && line.nextAt === Number.POSITIVE_INFINITY;
    if (isIdle && !line.isAwake && !line.isGone)
      this.#lines.delete(keyOf(line.shardId, line.receiver));
  }
}
