import * as fc from "fast-check";
import { expect, test } from "vitest";

import { cut, textOf } from "../../src/store/engines/mysql-writes.ts";

const rows = fc.array(fc.tuple(fc.integer(), fc.string({ maxLength: 40 })), { maxLength: 400 });
const bytesOf = (row: readonly unknown[]): number => Buffer.byteLength(String(row[1])) + 8 + 9;

test("cutting keeps every row, in order, in statements of powers of two that fit", () => {
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 5_000 }), (all, mostBytes) => {
      const pieces = [...cut(all, mostBytes)];
      expect(pieces.flat()).toEqual(all);
      for (const piece of pieces) {
        expect([1, 2, 4, 8, 16, 32, 64, 128]).toContain(piece.length);
        const bytes = piece.reduce((sum, row) => sum + bytesOf(row), 0);
        expect(piece.length === 1 || bytes <= mostBytes).toBe(true);
      }
    }),
  );
});

test("a write has one text for each size", () => {
  const write = { table: "t", kind: "update", key: ["a", "b"], columns: ["a", "b", "c"] } as const;
  expect(textOf(write, 2)).toBe(
    "INSERT INTO t (a, b, c) VALUES (?, ?, ?), (?, ?, ?) ON DUPLICATE KEY UPDATE c = VALUES(c)",
  );
  expect(textOf(write, 2)).toBe(textOf({ ...write }, 2));
});
