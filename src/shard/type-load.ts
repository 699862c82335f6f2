import type { BreakerRow } from "../jobs/breaker.ts";
import type { Lane } from "./lane.ts";

/** One type of an organization: how many of its jobs run, and how many may. */
export class TypeLoad {
  readonly name: string;
  /** At most so many at once; Infinity without a limit of its own. */
  limit: number;
  running = 0;
  /** Null unless it crashed since its last success. */
  breaker: BreakerRow | null = null;
  /** Open, but its time has come: one attempt may show whether it still crashes. */
  halfOpen = false;
  readonly lanes = new Set<Lane>();

  constructor(name: string, limit: number) {
    this.name = name;
    this.limit = limit;
  }

  get mayRunMore(): boolean {
    if (this.breaker === null || this.breaker.openedAt === null) return this.running < this.limit;
    return this.halfOpen && this.running < Math.min(1, this.limit);
  }

  /** There is nothing to remember of it. */
  get isIdle(): boolean {
    return this.running === 0 && this.lanes.size === 0 && this.breaker === null;
  }
}
