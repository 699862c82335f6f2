import type { PointRow, RollupRow } from "../jobs/metric.ts";
import type { ShardChanges } from "../store/store.ts";
import type { OpenPoint } from "./open-points.ts";

/** The points that one turn writes, and how far it rolls them up. */
export class TurnPoints {
  /** Of the open minute: their rows are written as they stand at the end of the turn. */
  readonly moved = new Set<OpenPoint>();
  readonly #rows = new Map<string, PointRow>();
  readonly #rollups = new Map<string, RollupRow>();

  get changedNothing(): boolean {
    return this.#rows.size === 0 && this.#rollups.size === 0;
  }

  put(row: PointRow): void {
    this.#rows.set(`${row.organizationId}/${row.resolution}/${row.at}/${row.type}`, row);
  }

  rolledUp(rollup: RollupRow): void {
    this.#rollups.set(rollup.resolution, rollup);
  }

  changes(): Pick<ShardChanges, "points" | "rollups"> {
    return { points: [...this.#rows.values()], rollups: [...this.#rollups.values()] };
  }
}
