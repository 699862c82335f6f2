import type { HookEvent, HookRow } from "../jobs/hook.ts";
import type { HookId } from "../jobs/ids.ts";
import type { JobRow } from "../jobs/job.ts";
import { JOB_ORIGIN, originOfUrl } from "../jobs/notice.ts";
import type { JobState } from "../jobs/states.ts";

type JobEvent = Extract<HookEvent, { readonly kind: "jobs" }>;

/** What a hook asks of a job, in a form that is quick to answer. */
class Listener {
  readonly id: HookId;
  /** Null: all. */
  readonly #types: ReadonlySet<string> | null;
  readonly #labels: readonly (readonly [string, string])[];

  constructor(id: HookId, { types, labels }: JobEvent) {
    this.id = id;
    this.#types = types.length === 0 ? null : new Set(types);
    this.#labels = Object.entries(labels);
  }

  /** Of a job in one of its states. */
  hears({ type, labels }: JobRow): boolean {
    return (
      (this.#types === null || this.#types.has(type)) &&
      this.#labels.every(([key, value]) => labels[key] === value)
    );
  }
}

const originOf = ({ target }: HookRow): string =>
  target.kind === "job" ? JOB_ORIGIN : originOfUrl(target.url);

/**
 * The hooks of one organization, as the owner of its shard keeps them. Those that are not paused are
 * found by the state that they wait for: most changes of jobs are none of theirs.
 */
export class Hooks {
  readonly #rows = new Map<HookId, HookRow>();
  readonly #origins = new Map<HookId, string>();
  readonly #watching = new Set<HookId>();
  /** Made anew when somebody asks after a change. */
  #listeners: ReadonlyMap<JobState, readonly Listener[]> | null = null;

  constructor(rows: readonly HookRow[]) {
    for (const row of rows) this.put(row);
  }

  get size(): number {
    return this.#rows.size;
  }

  find(id: HookId): HookRow | null {
    return this.#rows.get(id) ?? null;
  }

  put(row: HookRow): void {
    const before = this.#rows.get(row.id);
    this.#rows.set(row.id, row);
    if (before?.target !== row.target) this.#origins.set(row.id, originOf(row));
    if (row.event.kind === "threshold" && row.pausedAt === null) this.#watching.add(row.id);
    else this.#watching.delete(row.id);
    if (before?.event === row.event && before.pausedAt === row.pausedAt) return;
    this.#listeners = null;
  }

  remove(id: HookId): void {
    this.#rows.delete(id);
    this.#origins.delete(id);
    this.#watching.delete(id);
    this.#listeners = null;
  }

  /** What all but this one wait for, paused ones too. */
  eventsBeside(id: string): HookEvent[] {
    return [...this.#rows.values()].flatMap((row) => (row.id === id ? [] : row.event));
  }

  /** Where the notices of the hook go, as DeliveryRow has it. */
  origin(id: HookId): string {
    return this.#origins.get(id) ?? "";
  }

  /** Those that are told that this job came into the state that it has. */
  hearing(job: JobRow): HookRow[] {
    if (this.#rows.size === 0) return [];
    this.#listeners ??= this.#index();
    const told: HookRow[] = [];
    for (const listener of this.#listeners.get(job.state) ?? []) {
      const row = listener.hears(job) ? this.#rows.get(listener.id) : undefined;
      if (row !== undefined) told.push(row);
    }
    return told;
  }

  /** Whether one of them watches a threshold. */
  get watchesNumbers(): boolean {
    return this.#watching.size > 0;
  }

  /** Those that watch a threshold, but for paused ones. */
  watching(): HookRow[] {
    return [...this.#watching].flatMap((id) => this.#rows.get(id) ?? []);
  }

  #index(): ReadonlyMap<JobState, readonly Listener[]> {
    const index = new Map<JobState, Listener[]>();
    for (const { id, event, pausedAt } of this.#rows.values()) {
      if (event.kind !== "jobs" || pausedAt !== null) continue;
      const listener = new Listener(id, event);
      for (const state of event.states) {
        const known = index.get(state);
        if (known === undefined) index.set(state, [listener]);
        else known.push(listener);
      }
    }
    return index;
  }
}
