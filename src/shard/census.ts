import type { JobRow, Millis } from "../jobs/job.ts";
import { type JobState } from "../jobs/states.ts";
import { QueuedTimes } from "./queued-times.ts";
import { type Endings, NO_ENDINGS, RECENT_MS, RecentEndings } from "./recent-endings.ts";

/** Types without active jobs whose endings are remembered, of an organization. */
const MOST_IDLE_TYPES = 1_000;

export type CensusView = {
  /** Active jobs; states that no job is in are left out. */
  readonly states: ReadonlyMap<JobState, number>;
  /** Since when the oldest queued job waits, to a tenth of a second; null if none is queued. */
  readonly oldestQueuedAt: Millis | null;
};

const NOBODY: CensusView = { states: new Map(), oldestQueuedAt: null };

class Tally {
  readonly states = new Map<JobState, number>();
  readonly #queued = new QueuedTimes();
  #endings: RecentEndings | null = null;

  get isEmpty(): boolean {
    return this.states.size === 0;
  }

  get oldestQueuedAt(): Millis | null {
    return this.#queued.oldest();
  }

  /** As if the jobs of `other`, which are counted here as well, were not there. */
  oldestQueuedBeside(other: Tally | undefined): Millis | null {
    return other === undefined ? this.oldestQueuedAt : this.#queued.oldestBeside(other.#queued);
  }

  enter(row: JobRow): void {
    this.states.set(row.state, (this.states.get(row.state) ?? 0) + 1);
    if (row.state === "QUEUED") this.#queued.enter(queuedSince(row));
  }

  leave(row: JobRow): void {
    const left = (this.states.get(row.state) ?? 0) - 1;
    if (left > 0) this.states.set(row.state, left);
    else this.states.delete(row.state);
    if (row.state === "QUEUED") this.#queued.leave(queuedSince(row));
  }

  end(at: Millis, failed: boolean): void {
    this.#endings ??= new RecentEndings();
    this.#endings.add(at, failed);
  }

  endings(now: Millis): Endings {
    return this.#endings?.within(now) ?? NO_ENDINGS;
  }
}

const queuedSince = ({ queuedAt, createdAt }: JobRow): Millis => queuedAt ?? createdAt;

/**
 * How many active jobs an organization has, by type and state, how long the oldest waits, and how jobs
 * ended lately. ShardState keeps it true; nothing here costs more where there are more jobs.
 */
export class Census {
  readonly all = new Tally();
  readonly #types = new Map<string, Tally>();
  #sweepAt = 0;

  type(name: string): Tally | undefined {
    return this.#types.get(name);
  }

  /** Types that have active jobs. */
  activeTypes(): string[] {
    return [...this.#types].flatMap(([name, tally]) => (tally.isEmpty ? [] : [name]));
  }

  /** A job stands in this state now. */
  enter(row: JobRow): void {
    this.all.enter(row);
    let tally = this.#types.get(row.type);
    if (tally === undefined) {
      tally = new Tally();
      this.#types.set(row.type, tally);
    }
    tally.enter(row);
  }

  /** A job that entered with this row leaves its state. */
  leave(row: JobRow): void {
    this.all.leave(row);
    this.#types.get(row.type)?.leave(row);
  }

  /** A job that left its state has ended. */
  end({ type, state, endedAt, updatedAt }: JobRow): void {
    const at = endedAt ?? updatedAt;
    const failed = state === "FAILED";
    this.all.end(at, failed);
    const tally = this.#types.get(type);
    tally?.end(at, failed);
    if (tally?.isEmpty === true && this.#types.size > MOST_IDLE_TYPES) this.#types.delete(type);
    if (at >= this.#sweepAt) this.#sweep(at);
  }

  /** Forgets types of which there is nothing to remember; every five minutes at most. */
  #sweep(now: Millis): void {
    this.#sweepAt = now + RECENT_MS;
    for (const [name, tally] of this.#types) {
      if (tally.isEmpty && tally.endings(now).ended === 0) this.#types.delete(name);
    }
  }
}

type Counted = { readonly census: Census };

const tallyOf = ({ census }: Counted, type: string | null): Tally | undefined =>
  type === null ? census.all : census.type(type);

/** Of one type, "" being that of inline scripts; null: of all. */
export const censusOf = (organization: Counted, type: string | null): CensusView =>
  tallyOf(organization, type) ?? NOBODY;

/** What ended within the last five minutes, as far as this owner saw it. */
export const endingsOf = (organization: Counted, type: string | null, now: Millis): Endings =>
  tallyOf(organization, type)?.endings(now) ?? NO_ENDINGS;

/** As `oldestQueuedAt` of the census, as if those of `others`, a part of it, were not there. */
export const oldestQueuedBeside = (
  organization: Counted,
  others: Counted,
  type: string | null,
): Millis | null => tallyOf(organization, type)?.oldestQueuedBeside(tallyOf(others, type)) ?? null;
