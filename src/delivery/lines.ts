import type { DeliveryId } from "../jobs/ids.ts";
import type { Millis } from "../jobs/job.ts";
import { Heap } from "../shard/heap.ts";
import type { Receiver, ShardId } from "../store/store.ts";
import { Line } from "./line.ts";
import { Origin } from "./origin.ts";
import { Ring } from "./ring.ts";
import { Silences } from "./silences.ts";

/** Places that were given to a line. */
export type Grant = { readonly line: Line; readonly room: number; readonly ring: Ring };

export type LineLimits = { readonly atOnce: number; readonly atOncePerReceiver: number };

/** Lines beyond these are not taken in; whoever looks for lines again finds them later. */
const MOST_LINES = 50_000;

const keyOf = (shardId: ShardId, { origin, organizationId }: Receiver): string =>
  `${shardId} ${organizationId} ${origin}`;

/**
 * Who is sent to next. A receiver has a few places. One that does not answer an organization is asked
 * for it by one notice at a time, after ever longer pauses; and all that do not answer share a quarter
 * of all places, so that many of them together delay nobody else. Holds no notices: only which
 * receivers have some, and from when on.
 */
export class Lines {
  readonly #limits: LineLimits;
  readonly #lines = new Map<string, Line>();
  readonly #origins = new Map<string, Origin>();
  readonly #silences = new Silences();
  readonly #asleep = new Heap<Line>(
    (a, b) => a.wakesAt < b.wakesAt || (a.wakesAt === b.wakesAt && a.number < b.number),
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

  /** Something waits there from `at` on. */
  expect(shardId: ShardId, receiver: Receiver, at: Millis): void {
    const line = this.#lines.get(keyOf(shardId, receiver)) ?? this.#open(shardId, receiver);
    if (line === null || at >= line.nextAt) return;
    line.nextAt = at;
    if (line.isAwake) return;
    if (this.#asleep.has(line)) this.#asleep.update(line);
    else this.#asleep.push(line);
  }

  /** When the next line is due; Infinity if none is known to be. */
  wakesAt(): Millis {
    return this.#asleep.first()?.wakesAt ?? Number.POSITIVE_INFINITY;
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
    for (let line = this.#asleep.first(); line !== undefined && line.wakesAt <= now;) {
      this.#asleep.remove(line);
      if (!this.#isLeftAlone(line, now)) this.#wake(line);
      line = this.#asleep.first();
    }
    return this.#from(this.#answering, now) ?? this.#from(this.#silent, now);
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
  answered({ line }: Grant, did: boolean, now: Millis): void {
    const key = keyOf(line.shardId, line.receiver);
    line.isSilent = !did;
    if (!did) {
      this.#silences.silent(key, now);
      return;
    }
    this.#silences.heard(key);
    this.#endPause(line);
  }

  /** Somebody waits for an answer from there: it is not left alone any longer. */
  askAgain(shardId: ShardId, receiver: Receiver): void {
    const key = keyOf(shardId, receiver);
    this.#silences.askAgain(key);
    const line = this.#lines.get(key);
    if (line !== undefined) this.#endPause(line);
  }

  /** Only these shards are this server's. */
  keepOnly(shards: ReadonlySet<ShardId>): void {
    for (const line of this.#lines.values()) {
      if (shards.has(line.shardId)) continue;
      this.#close(line);
      this.#asleep.remove(line);
      line.isGone = true;
    }
  }

  #open(shardId: ShardId, receiver: Receiver): Line | null {
    if (this.#lines.size >= MOST_LINES) return null;
    const { origin: name } = receiver;
    const known = this.#origins.get(name);
    const origin = known ?? new Origin(name, this.#limits.atOncePerReceiver);
    if (known === undefined) this.#origins.set(name, origin);
    const key = keyOf(shardId, receiver);
    this.#numbers += 1;
    const at = { shardId, receiver, origin };
    const line = new Line(at, this.#numbers, this.#silences.has(key));
    this.#lines.set(key, line);
    origin.lines += 1;
    return line;
  }

  #close(line: Line): void {
    this.#lines.delete(keyOf(line.shardId, line.receiver));
    line.origin.lines -= 1;
    this.#dropOrigin(line);
  }

  #dropOrigin({ origin }: Line): void {
    if (origin.isIdle) this.#origins.delete(origin.name);
  }

  #wake(line: Line): void {
    line.isAwake = true;
    (line.isSilent ? this.#silent : this.#answering).push(line);
  }

  /** Whether it sleeps on, because its receiver said nothing a moment ago. */
  #isLeftAlone(line: Line, now: Millis): boolean {
    if (!line.isSilent) return false;
    line.aloneUntil = this.#silences.endOf(keyOf(line.shardId, line.receiver));
    if (line.aloneUntil <= now) return false;
    line.isAwake = false;
    this.#asleep.push(line);
    return true;
  }

  #endPause(line: Line): void {
    line.aloneUntil = Number.NEGATIVE_INFINITY;
    if (this.#asleep.has(line)) this.#asleep.update(line);
  }

  #from(ring: Ring, now: Millis): Grant | null {
    for (;;) {
      const room = this.#limits.atOnce - this.#inFlight;
      const next = room > 0 ? ring.shift() : null;
      if (next === null) return null;
      const { line } = next;
      const places = Math.min(room, next.room, line.origin.placesFor(line));
      if (line.isGone || this.#isLeftAlone(line, now)) continue;
      if (places <= 0) {
        line.origin.park(line);
      } else if (line.isSilent && ring === this.#answering) {
        this.#silent.push(line);
      } else {
        line.nextAt = Number.POSITIVE_INFINITY;
        this.#use(line, ring, places);
        return { line, room: places, ring };
      }
    }
  }

  /** Takes places, or gives them back if there are less than none. */
  #use(line: Line, ring: Ring, places: number): void {
    line.origin.use(line, places);
    this.#inFlight += places;
    ring.use(line.receiver.organizationId, places);
    for (const parked of line.origin.unpark()) this.#wake(parked);
    this.#dropOrigin(line);
  }

  #dropIfIdle(line: Line): void {
    const isIdle = line.sending.size === 0 && line.nextAt === Number.POSITIVE_INFINITY;
    if (isIdle && !line.isAwake && !line.isGone) this.#close(line);
  }
}
