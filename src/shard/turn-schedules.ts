import type { ScheduleRow } from "../jobs/schedule.ts";
import type { ColdRows, ScheduleKey, ShardChanges } from "../store/store.ts";

const keyOf = ({ organizationId, id }: ScheduleKey): string => `${organizationId}/${id}`;

/** The schedules of one turn: what its commands read, and what they have changed since. */
export class TurnSchedules {
  readonly #rows = new Map<string, ScheduleRow | null>();
  readonly #changed = new Map<string, ScheduleKey>();

  constructor({ schedules }: Pick<ColdRows, "schedules">) {
    for (const row of schedules) this.#rows.set(keyOf(row), row);
  }

  get changedNothing(): boolean {
    return this.#changed.size === 0;
  }

  find(key: ScheduleKey): ScheduleRow | null {
    return this.#rows.get(keyOf(key)) ?? null;
  }

  put(row: ScheduleRow): ScheduleRow {
    this.#rows.set(keyOf(row), row);
    this.#changed.set(keyOf(row), row);
    return row;
  }

  remove({ organizationId, id }: ScheduleKey): void {
    const key = { organizationId, id };
    this.#rows.set(keyOf(key), null);
    this.#changed.set(keyOf(key), key);
  }

  changes(): Pick<ShardChanges, "schedules" | "removedSchedules"> {
    const schedules: ScheduleRow[] = [];
    const removedSchedules: ScheduleKey[] = [];
    for (const [key, changed] of this.#changed) {
      const row = this.#rows.get(key) ?? null;
      if (row === null) removedSchedules.push(changed);
      else schedules.push(row);
    }
    return { schedules, removedSchedules };
  }
}
