import { describe, expect, it } from "vitest";

import { parseStat, type Usage } from "../../runner/sandbox/proc.ts";
import { createWatch } from "../../runner/sandbox/watch.ts";
import { createManualClock } from "../support/manual-clock.ts";

const bounds = { wallMs: 1_000, cpuMs: 100, rssBytes: 500 };

const setUp = () => {
  const clock = createManualClock();
  let usage: Usage | null = { cpuMs: 5_000, rssBytes: 100 };
  const seen: string[] = [];
  const watch = createWatch(clock, () => usage, 25);
  const guard = watch.guard(1, bounds, (what) => seen.push(what));
  return {
    clock,
    seen,
    guard,
    use: (next: Usage | null) => {
      usage = next;
    },
  };
};

describe("the watch", () => {
  it("sees more CPU time than allowed within one look, counted from the start", () => {
    const { clock, seen, use } = setUp();
    use({ cpuMs: 5_100, rssBytes: 100 });
    clock.advance(25);
    expect(seen).toEqual([]);
    use({ cpuMs: 5_110, rssBytes: 100 });
    clock.advance(25);
    expect(seen).toEqual(["timeout.cpu"]);
  });

  it("sees too much memory, and the deadline", () => {
    const memory = setUp();
    memory.use({ cpuMs: 5_000, rssBytes: 501 });
    memory.clock.advance(25);
    expect(memory.seen).toEqual(["memory"]);
    const wall = setUp();
    wall.clock.advance(999);
    expect(wall.seen).toEqual([]);
    wall.clock.advance(26);
    expect(wall.seen).toEqual(["timeout.wall"]);
  });

  it("calls once", () => {
    const { clock, seen } = setUp();
    clock.advance(10_000);
    expect(seen).toEqual(["timeout.wall"]);
  });

  it("looks at nobody who was released", () => {
    const { clock, seen, guard } = setUp();
    guard.release();
    clock.advance(10_000);
    expect(seen).toEqual([]);
  });

  it("keeps the deadline of a process whose figures cannot be read", () => {
    const { clock, seen, use } = setUp();
    use(null);
    clock.advance(1_025);
    expect(seen).toEqual(["timeout.wall"]);
  });

  it("starts anew with other bounds", () => {
    const { clock, seen, guard, use } = setUp();
    use({ cpuMs: 5_090, rssBytes: 100 });
    guard.rebound({ wallMs: 50, cpuMs: 20, rssBytes: 500 });
    clock.advance(25);
    expect(seen).toEqual([]);
    clock.advance(25);
    expect(seen).toEqual(["timeout.wall"]);
  });

  it("believes the child's own CPU time within a tick of the kernel's, and keeps the peak", () => {
    const { clock, guard, use } = setUp();
    use({ cpuMs: 5_000, rssBytes: 400 });
    clock.advance(25);
    use({ cpuMs: 5_040, rssBytes: 200 });
    expect(guard.usage(42.5)).toEqual({ cpuMs: 42.5, peakMemoryBytes: 400 });
    expect(guard.usage(1_000).cpuMs).toBe(50);
    expect(guard.usage(0).cpuMs).toBe(30);
    expect(guard.usage().cpuMs).toBe(40);
  });
});

describe("/proc/<pid>/stat", () => {
  it("is read past a name that looks like more of it", () => {
    // Every field holds its own number, as proc(5) counts them.
    const fields = Array.from({ length: 50 }, (_, index) => String(index + 3));
    const text = `77 (node) x) 1) ${fields.join(" ")}`;
    expect(parseStat(text, 4_096)).toEqual({ cpuMs: (14 + 15) * 10, rssBytes: 24 * 4_096 });
  });
});
