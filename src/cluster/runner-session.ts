import type { LeaseToken, RunnerId } from "../jobs/ids.ts";
import type { Assignment, AttemptRef } from "../jobs/report.ts";
import type { Clock } from "../runtime/clock.ts";
import { DELIVERY_GRACE_MS } from "../shard/commands/reconcile.ts";
import type { SyncAnswer } from "../shard/owner.ts";

const keyOf = (ref: AttemptRef): string => `${ref.jobId}/${ref.attempt}`;

/** An attempt that a runner is to have, or not. */
export type Held = { assign(assignment: Assignment): void; drop(): void };

/** What one runner is still to be told, and the call of it that waits, if one does. */
export class RunnerSession {
  readonly id: RunnerId;
  /** Monotonic milliseconds. */
  lastSeen: number;
  #assignments: Assignment[] = [];
  #cancellations = new Map<string, AttemptRef>();
  #lost = new Map<string, AttemptRef>();
  /** When each assignment was told; Infinity while it is not. */
  readonly #told = new Map<LeaseToken, number>();
  #calls = 0;
  #wake: (() => void) | null = null;

  constructor(id: RunnerId, now: number) {
    this.id = id;
    this.lastSeen = now;
  }

  assign(assignment: Assignment): void {
    this.#assignments.push(assignment);
    this.#told.set(assignment.ref.leaseToken, Number.POSITIVE_INFINITY);
    this.#wake?.();
  }

  /**
   * An attempt that is on its way here, and not ready yet. Either call ends that: without an
   * assignment the runner does not have it.
   */
  hold({ leaseToken }: AttemptRef): Held {
    this.#told.set(leaseToken, Number.POSITIVE_INFINITY);
    return {
      assign: (assignment) => {
        this.assign(assignment);
      },
      drop: () => {
        this.#told.delete(leaseToken);
      },
    };
  }

  cancel(ref: AttemptRef): void {
    this.#cancellations.set(keyOf(ref), ref);
    this.#wake?.();
  }

  lose(ref: AttemptRef): void {
    this.#lost.set(keyOf(ref), ref);
    this.#wake?.();
  }

  /** A call arrives. The one that waits, if any, ends now. */
  begin(): number {
    this.#wake?.();
    this.#calls += 1;
    return this.#calls;
  }

  isNewest(call: number): boolean {
    return call === this.#calls;
  }

  /** Resolves when there is something to say, or after `ms`, or when a newer call takes over. */
  async arrival(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    if (this.hasNews) return;
    signal.throwIfAborted();
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        if (this.#wake === wake) this.#wake = null;
        cancel();
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const cancel = clock.after(ms, wake);
      signal.addEventListener("abort", wake, { once: true });
      this.#wake = wake;
    });
  }

  get hasNews(): boolean {
    return this.#assignments.length + this.#cancellations.size + this.#lost.size > 0;
  }

  /**
   * Attempts that the runner cannot list yet: they were told less than 5 s ago, or not at all,
   * however long their commit took.
   */
  onTheirWay(now: number): ReadonlySet<LeaseToken> {
    for (const [lease, at] of this.#told)
      if (now > at + DELIVERY_GRACE_MS) this.#told.delete(lease);
    return new Set(this.#told.keys());
  }

  takeAll(now: number): SyncAnswer {
    for (const { ref } of this.#assignments) this.#told.set(ref.leaseToken, now);
    const answer = {
      assignments: this.#assignments,
      cancellations: [...this.#cancellations.values()],
      lost: [...this.#lost.values()],
    };
    this.#assignments = [];
    this.#cancellations = new Map();
    this.#lost = new Map();
    return answer;
  }
}
