import type { DeliveryRow } from "../../src/jobs/delivery.ts";
import type { HookRow } from "../../src/jobs/hook.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import type { Threshold } from "../../src/jobs/threshold.ts";
import type { ShardChanges } from "../../src/store/store.ts";
import { broken, faultOf } from "./broken.ts";

type Known = { row: HookRow; readonly threshold: Threshold };

/** Numbers that are those of the jobs that a commit leaves. */
const COUNTED = { QUEUED_JOBS: "QUEUED", RUNNING_JOBS: "RUNNING" } as const;

/** Hooks on numbers, commit by commit: each crossing is told once, when it has lasted for long enough. */
export class ThresholdLedger {
  readonly #hooks = new Map<string, Known>();
  readonly #seen = new Set<string>();
  told = 0;

  /** `jobs` are as they were before the commit. */
  committed(changes: ShardChanges, jobs: ReadonlyMap<string, JobRow>): void {
    const owed = new Map<string, DeliveryRow>();
    for (const row of changes.deliveries) {
      if (!row.event.startsWith("threshold.") || this.#seen.has(row.id)) continue;
      this.#seen.add(row.id);
      if (owed.has(row.hookId)) broken("a crossing is told once", { hook: row.hookId });
      owed.set(row.hookId, row);
    }
    for (const row of changes.hooks) {
      if (row.event.kind !== "threshold") continue;
      const before = this.#hooks.get(row.id)?.row;
      // Who got no answer has made it again, as one that has seen nothing.
      const isMadeAnew = before !== undefined && before.createdAt !== row.createdAt;
      const notice = owed.get(row.id);
      owed.delete(row.id);
      this.#checkOne(row, isMadeAnew ? undefined : before, notice);
      if (notice !== undefined) this.#checkValue(row, row.event, notice, changes, jobs);
      this.#hooks.set(row.id, { row, threshold: row.event });
    }
    for (const hook of owed.keys()) broken("a crossing is told once", { hook });
    for (const { id } of changes.removedHooks) this.#hooks.delete(id);
  }

  #checkOne(row: HookRow, before: HookRow | undefined, notice: DeliveryRow | undefined): void {
    const { id, firing, aboveSince, event } = row;
    const since = before?.aboveSince ?? null;
    const isResumed = before !== undefined && before.pausedAt !== null;
    if (since !== null && aboveSince !== null && aboveSince !== since && !isResumed) {
      broken("a crossing is told when it has lasted", { id, since, forgotten: aboveSince });
    }
    const fires = firing !== (before?.firing ?? false);
    const expected = fires ? `threshold.${firing ? "above" : "below"}` : undefined;
    if (notice?.event !== expected) {
      broken("a crossing is told once", { id, told: notice?.event, expected });
    }
    if (notice === undefined || event.kind !== "threshold") return;
    this.told += 1;
    const hasLasted = aboveSince !== null && aboveSince + event.forMs <= notice.createdAt;
    const wasNoted = event.forMs === 0 || before?.aboveSince === aboveSince;
    if (row.pausedAt !== null || (firing && !(hasLasted && wasNoted))) {
      broken("a crossing is told when it has lasted", { id, aboveSince, notice });
    }
  }

  #checkValue(
    { organizationId, id, target }: HookRow,
    { metric, type, above }: Threshold,
    { event, body }: DeliveryRow,
    { inserted, updated }: ShardChanges,
    jobs: ReadonlyMap<string, JobRow>,
  ): void {
    const { data } = JSON.parse(body) as { readonly data: { readonly value: number } };
    if (data.value > above !== (event === "threshold.above")) {
      broken("a crossing is told when it has lasted", { id, event, above, value: data.value });
    }
    if (metric !== "QUEUED_JOBS" && metric !== "RUNNING_JOBS") return;
    const after = new Map(jobs);
    for (const row of [...inserted, ...updated]) after.set(row.id, row);
    const counts = (row: JobRow): boolean =>
      row.organizationId === organizationId &&
      row.state === COUNTED[metric] &&
      (type === "" || row.type === type) &&
      (target.kind === "url" || row.hookChain.length === 0);
    const value = [...after.values()].filter(counts).length;
    if (value !== data.value) {
      broken("a crossing is told when it has lasted", { id, event, told: data.value, value });
    }
  }

  /** When everything has come to rest no job waits or runs: nothing of that is above a limit. */
  differences(): string[] {
    return [...this.#hooks.values()]
      .filter(({ row, threshold }) => row.firing && threshold.metric !== "FAILURE_RATIO")
      .filter(({ row }) => row.pausedAt === null)
      .map(({ row }) => faultOf("a crossing is told once", { id: row.id, isOver: "not told" }));
  }
}
