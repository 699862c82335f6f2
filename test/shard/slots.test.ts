import { describe, expect, test } from "vitest";

import type { Capability, RunnerId } from "../../src/jobs/ids.ts";
import { Slots } from "../../src/shard/slots.ts";

const SCRIPT = "script" as Capability;
const runner = (name: string) => name as RunnerId;

const takeAll = (slots: Slots, shardId: number): number => {
  const source = slots.sourceFor(shardId);
  let count = 0;
  while (source.take(SCRIPT) !== null) count += 1;
  return count;
};

describe("slots", () => {
  test("are given out up to what each runner offered, in turns", () => {
    const slots = new Slots();
    slots.announce(runner("a"), [SCRIPT], 2);
    slots.announce(runner("b"), [SCRIPT], 1);
    const source = slots.sourceFor(0);
    const taken = [source.take(SCRIPT), source.take(SCRIPT), source.take(SCRIPT)];
    expect(taken).toEqual(["a", "b", "a"]);
    expect(source.take(SCRIPT)).toBeNull();
  });

  test("of a runner that cannot do it are not given", () => {
    const slots = new Slots();
    slots.announce(runner("a"), ["handler:x" as Capability], 1);
    expect(slots.sourceFor(0).take(SCRIPT)).toBeNull();
  });

  test("that are used stay used when the runner announces itself again", () => {
    const slots = new Slots();
    slots.announce(runner("a"), [SCRIPT], 1);
    takeAll(slots, 0);
    slots.announce(runner("a"), [SCRIPT], 1);
    expect(slots.free(SCRIPT)).toBe(0);
    slots.use(0, runner("a"), -1);
    expect(slots.free(SCRIPT)).toBe(1);
  });

  test("of a shard that is reloaded are free until it counts them again", () => {
    const slots = new Slots();
    slots.announce(runner("a"), [SCRIPT], 3);
    takeAll(slots, 0);
    slots.forget(0);
    slots.use(0, runner("a"), 1);
    expect(slots.free(SCRIPT)).toBe(2);
  });

  test("are known before the runner is heard of, when a loaded shard uses them", () => {
    const slots = new Slots();
    slots.use(0, runner("a"), 1);
    slots.announce(runner("a"), [SCRIPT], 1);
    expect(slots.free(SCRIPT)).toBe(0);
  });

  test("that are withdrawn are never given again", () => {
    const slots = new Slots();
    slots.announce(runner("a"), [SCRIPT], 2);
    slots.sourceFor(0).take(SCRIPT);
    slots.withdraw(runner("a"));
    slots.use(0, runner("a"), -1);
    expect(slots.free(SCRIPT)).toBe(0);
  });
});

describe("slots that are left to wait", () => {
  test("are kept for jobs that are waited for", () => {
    const slots = new Slots();
    slots.announce(runner("a"), [SCRIPT], 1);
    slots.use(0, runner("a"), 1);
    slots.leave(0, runner("a"), 1);
    expect(slots.sourceFor(0).take(SCRIPT)).toBeNull();
    expect(slots.sourceFor(0).takeKept(SCRIPT)).toBe("a");
  });

  test("are kept by a new owner that hears of them before it hears of their runner", () => {
    const slots = new Slots();
    slots.use(0, runner("a"), 1);
    slots.leave(0, runner("a"), 1);
    slots.announce(runner("a"), [SCRIPT], 1);
    expect(slots.free(SCRIPT)).toBe(0);
    slots.leave(0, runner("a"), -1);
    slots.use(0, runner("a"), -1);
    expect(slots.free(SCRIPT)).toBe(1);
  });

  test("are kept while their runner is away", () => {
    const slots = new Slots();
    slots.announce(runner("a"), [SCRIPT], 1);
    slots.use(0, runner("a"), 1);
    slots.leave(0, runner("a"), 1);
    slots.withdraw(runner("a"));
    slots.announce(runner("a"), [SCRIPT], 1);
    expect(slots.free(SCRIPT)).toBe(0);
  });
});

describe("shards that share slots", () => {
  test("divide them evenly while both wait", () => {
    const slots = new Slots();
    const both = new Map([[SCRIPT, 1]]);
    slots.wait(0, both);
    slots.wait(1, both);
    slots.announce(runner("a"), [SCRIPT], 10);
    expect(takeAll(slots, 0)).toBe(5);
    expect(slots.servable()).toEqual(new Set([1]));
    slots.wait(0, both);
    expect(takeAll(slots, 1)).toBe(5);
  });

  test("take turns when a single slot is freed again and again", () => {
    const slots = new Slots();
    const waiting = new Map([[SCRIPT, 1]]);
    slots.announce(runner("a"), [SCRIPT], 1);
    takeAll(slots, 0);
    slots.wait(0, waiting);
    slots.wait(1, waiting);
    const served: number[] = [];
    let holder = 0;
    for (let round = 0; round < 6; round += 1) {
      // Whoever frees the slot has its turn first, as a busy shard does.
      slots.use(holder, runner("a"), -1);
      for (const shardId of [holder, 1 - holder]) {
        const got = takeAll(slots, shardId);
        slots.wait(shardId, waiting);
        if (got === 0) continue;
        served.push(shardId);
        holder = shardId;
        break;
      }
    }
    expect(served.filter((shardId) => shardId === 0)).toHaveLength(3);
    expect(served.filter((shardId) => shardId === 1)).toHaveLength(3);
  });

  test("leave everything to the one that has work", () => {
    const slots = new Slots();
    slots.wait(0, new Map([[SCRIPT, 1]]));
    slots.wait(0, new Map());
    slots.announce(runner("a"), [SCRIPT], 4);
    expect(takeAll(slots, 1)).toBe(4);
  });
});
