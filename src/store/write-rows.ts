import type { Transaction } from "./engine.ts";
import type { Binding } from "./rows/column.ts";
import type { ShardId } from "./store.ts";

const compareBy =
  (
    columns: number,
  ): ((a: readonly (string | number | null)[], b: readonly (string | number | null)[]) => number) =>
  (a, b) => {
    for (let at = 0; at < columns; at += 1) {
      const one = a[at] ?? "";
      const other = b[at] ?? "";
      if (one !== other) return one < other ? -1 : 1;
    }
    return 0;
  };

/** Sorted by key: rows are locked and pages are touched in one order. */
export const writeRows = async <Row>(
  transaction: Transaction,
  shardId: ShardId,
  { write, values }: Binding<Row>,
  rows: readonly Row[],
): Promise<void> => {
  if (rows.length === 0) return;
  const all = rows.map((row) => values(shardId, row));
  await transaction.write(write, all.toSorted(compareBy(write.key.length)));
};
