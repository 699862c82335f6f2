import type { UnfinishedRow } from "../jobs/unfinished.ts";
import type { ColdRows, ShardChanges } from "../store/store.ts";
import type { TurnBounds } from "./turn-bounds.ts";

/** What earlier turns left to this one, how much this one may still do, and what it leaves. */
export class TurnUnfinished {
  /** Changes that hooks are to be told of now. */
  readonly untold: readonly UnfinishedRow[];
  readonly room: { settled: number; notices: number };
  readonly #left: UnfinishedRow[] = [];
  readonly #done: ShardChanges["finished"][number][] = [];

  constructor({ untold }: Pick<ColdRows, "untold">, bounds: TurnBounds) {
    this.untold = untold;
    this.room = { ...bounds };
  }

  get changedNothing(): boolean {
    return this.#left.length + this.#done.length === 0;
  }

  leave(row: UnfinishedRow): void {
    this.#left.push(row);
  }

  done({ organizationId, kind, id }: ShardChanges["finished"][number]): void {
    this.#done.push({ organizationId, kind, id });
  }

  changes(): Pick<ShardChanges, "unfinished" | "finished"> {
    return { unfinished: this.#left, finished: this.#done };
  }
}
