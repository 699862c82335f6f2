import type { UnfinishedRow, UntoldNotice } from "../../src/jobs/unfinished.ts";
import type { ShardChanges } from "../../src/store/store.ts";
import { broken } from "./broken.ts";

/** What commits have left to later ones, as it stands. */
export class UnfinishedLedger {
  /** Jobs whose end, or the wish for it, has not come to all others. */
  readonly unsettled = new Set<string>();
  readonly #untold = new Map<string, UntoldNotice>();
  settledLater = 0;
  toldLater = 0;

  /** What the commit did of what was left. Before everything else. */
  committed({ unfinished, finished }: ShardChanges): {
    readonly settled: ReadonlySet<string>;
    readonly told: readonly UntoldNotice[];
  } {
    const told = finished.filter(({ kind }) => kind === "tell").map((row) => this.#take(row));
    const settled = new Set(finished.flatMap(({ kind, id }) => (kind === "settle" ? [id] : [])));
    for (const id of settled) {
      if (!this.unsettled.delete(id)) broken("what is stored is what was committed", { id });
    }
    for (const { kind, id, body } of unfinished) {
      if (kind === "settle") this.unsettled.add(id);
      else this.#untold.set(id, JSON.parse(body) as UntoldNotice);
    }
    this.settledLater += settled.size;
    this.toldLater += told.length;
    return { settled, told };
  }

  #take({ id }: Pick<UnfinishedRow, "id">): UntoldNotice {
    const one = this.#untold.get(id);
    if (one === undefined) return broken("what is stored is what was committed", { id });
    this.#untold.delete(id);
    return one;
  }

  /** Once everything has come to rest nothing is left. */
  get left(): readonly string[] {
    return [...this.unsettled, ...this.#untold.keys()];
  }
}
