import type { BreakerRow } from "../../src/jobs/breaker.ts";
import type { RunnerId } from "../../src/jobs/ids.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import { ORGANIZATION_DEFAULTS } from "../../src/jobs/limits.ts";
import type { ShardChanges } from "../../src/store/store.ts";
import { broken } from "./broken.ts";
import type { Promised } from "./promises.ts";
import type { Waits } from "./waits.ts";

/** Two servers' clocks. */
const SKEW_MS = 100;

/**
 * What may run at once, as the owners can know it: from the write of a new limit until every server
 * has been told, the old one may count or the new one.
 */
export class LimitsLedger {
  /** By organization, or by organization and type. */
  readonly #possible = new Map<string, readonly number[]>();
  readonly #breakers = new Map<string, BreakerRow>();
  /** By runner. */
  readonly #slots = new Map<string, number>();
  started = 0;

  /** A runner begins to offer so many slots. */
  offer(runnerId: RunnerId, slots: number): void {
    this.#slots.set(runnerId, slots);
  }

  /** A new limit is being written. */
  announce(key: string, limit: number): void {
    this.#possible.set(key, [...this.#limitsOf(key), limit]);
  }

  /** Every owner counts by it now. */
  settle(key: string, limit: number): void {
    this.#possible.set(key, [limit]);
  }

  /** The attempts that this commit starts; `before` is what was committed until then. */
  startedBy({ inserted, updated }: ShardChanges, before: ReadonlyMap<string, JobRow>): JobRow[] {
    return [...inserted, ...updated].filter((row) => {
      const { state, attempt } = before.get(row.id) ?? { state: "QUEUED", attempt: 0 };
      return row.state === "RUNNING" && (state !== "RUNNING" || attempt !== row.attempt);
    });
  }

  /**
   * After the commit: nothing was started beyond a limit, nothing of a paused type, and nothing on a
   * place that an attempt left for jobs that are waited for.
   */
  check(
    started: readonly JobRow[],
    { breakers }: ShardChanges,
    after: ReadonlyMap<string, JobRow>,
    waits: Waits,
  ): void {
    for (const row of breakers) this.#breakers.set(`${row.organizationId}/${row.type}`, row);
    if (started.length === 0) return;
    const running = [...after.values()].filter(({ state }) => state === "RUNNING");
    this.#checkKeys(running);
    const { resting, awaited } = waits.among(after);
    for (const { id, organizationId, type, startedAt, runnerId } of started) {
      this.started += 1;
      const here = running.filter((row) => row.organizationId === organizationId);
      const counted = here.filter((row) => !resting.has(row.id));
      const others = here.filter((row) => !awaited.has(row.id));
      this.#checkCount("limits are never exceeded", organizationId, counted.length);
      this.#checkSlots("a runner is given no more than it has slots", runnerId, counted);
      if (!awaited.has(id)) {
        this.#checkCount("a place that was left to wait is kept", organizationId, others.length);
        this.#checkSlots("a place that was left to wait is kept", runnerId, others);
      }
      if (type === "") continue;
      const key = `${organizationId}/${type}`;
      const ofType = counted.filter((row) => row.type === type).length;
      this.#checkCount("limits are never exceeded", key, ofType);
      const { openedAt = null, retryAt = null } = this.#breakers.get(key) ?? {};
      if (openedAt !== null && (startedAt ?? 0) + SKEW_MS < (retryAt ?? 0)) {
        broken("a paused type starts nothing", { key, startedAt, retryAt });
      }
    }
  }

  #checkKeys(running: readonly JobRow[]): void {
    const keys = new Set<string>();
    for (const { organizationId, concurrencyKey } of running) {
      const key = `${organizationId}/${concurrencyKey}`;
      if (concurrencyKey !== "" && keys.has(key)) broken("a concurrency key runs once", { key });
      keys.add(key);
    }
  }

  #checkCount(promise: Promised, key: string, total: number): void {
    const most = Math.max(...this.#limitsOf(key));
    if (total > most) broken(promise, { key, total, most });
  }

  /** Of one organization alone: what others have there may be another server's to give. */
  #checkSlots(promise: Promised, runnerId: string, running: readonly JobRow[]): void {
    const most = this.#slots.get(runnerId) ?? 0;
    const total = running.filter((row) => row.runnerId === runnerId).length;
    if (total > most) broken(promise, { runnerId, total, most });
  }

  #limitsOf(key: string): readonly number[] {
    const standard = key.includes("/")
      ? Number.POSITIVE_INFINITY
      : ORGANIZATION_DEFAULTS.maxRunning;
    return this.#possible.get(key) ?? [standard];
  }
}
