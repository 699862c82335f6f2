import fc from "fast-check";
import { expect, test } from "vitest";

import { Heap } from "../../src/shard/heap.ts";

test("a heap gives the first of what it holds, whatever changed, left or came", () => {
  const step = fc.record({
    kind: fc.constantFrom("push", "update", "remove", "take"),
    which: fc.nat(15),
    rank: fc.nat(20),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const items = Array.from({ length: 16 }, (_, id) => ({ id, rank: 0, position: -1 }));
      const goesBefore = (a: { rank: number; id: number }, b: { rank: number; id: number }) =>
        a.rank === b.rank ? a.id < b.id : a.rank < b.rank;
      const heap = new Heap<(typeof items)[number]>(goesBefore);
      const held = new Set<(typeof items)[number]>();
      for (const { kind, which, rank } of steps) {
        const item = kind === "take" ? heap.first() : items[which];
        if (item === undefined) continue;
        if (kind === "push" && !held.has(item)) {
          item.rank = rank;
          heap.push(item);
          held.add(item);
        } else if (kind === "update" && held.has(item)) {
          item.rank = rank;
          heap.update(item);
        } else if (kind === "remove" || kind === "take") {
          heap.remove(item);
          held.delete(item);
        }
        const [first] = [...held].sort((a, b) => (goesBefore(a, b) ? -1 : 1));
        expect(heap.first()).toBe(first);
        expect(heap.size).toBe(held.size);
        for (const one of items) expect(heap.has(one)).toBe(held.has(one));
      }
    }),
  );
});
