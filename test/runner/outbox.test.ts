import { describe, expect, it } from "vitest";

import type { Ending } from "../../runner/executor.ts";
import { createOutbox } from "../../runner/outbox.ts";

const limits = { outputBytes: 1_000, outputLines: 5, lineBytes: 10 };
const ending: Ending = { kind: "succeeded", result: "1", cpuMs: 1, peakMemoryBytes: 2 };
const progress = (fraction: number, message = "") => ({
  fraction,
  message,
  currentStep: 0,
  totalSteps: 0,
});

describe("an outbox", () => {
  it("has nothing to say at first", () => {
    const outbox = createOutbox(limits);
    expect(outbox.waiting()).toBe(false);
    expect(outbox.next()).toBeNull();
  });

  it("says the same again until it is acknowledged, and what came since only then", () => {
    const outbox = createOutbox(limits);
    outbox.output("LOG", "one");
    const first = outbox.next();
    outbox.output("LOG", "two");
    outbox.end(ending);
    expect(outbox.next()).toBe(first);
    expect(first).toMatchObject({ seq: 1, output: [{ text: "one" }], ending: null });
    outbox.acknowledged();
    expect(outbox.next()).toMatchObject({ seq: 2, output: [{ text: "two" }], ending });
    expect(outbox.done()).toBe(false);
    outbox.acknowledged();
    expect(outbox.done()).toBe(true);
    expect(outbox.next()).toBeNull();
  });

  it("keeps the newest progress, which never goes back", () => {
    const outbox = createOutbox(limits);
    outbox.progress(progress(0.5));
    outbox.progress(progress(0.2, "later"));
    expect(outbox.next()?.progress).toEqual(progress(0.5, "later"));
    outbox.acknowledged();
    outbox.progress(progress(NaN));
    expect(outbox.next()?.progress).toEqual(progress(0.5));
  });

  it("cuts rows between characters, and drops rows over the cap after one that says so", () => {
    const outbox = createOutbox(limits);
    for (let i = 0; i < 9; i++) outbox.output("STDOUT", "ääääää");
    const texts = outbox.next()?.output.map(({ text }) => text);
    expect(texts).toEqual([
      ...Array.from({ length: 5 }, () => "äääää"),
      expect.stringMatching(/limit/),
    ]);
  });

  it("counts bytes, too", () => {
    const outbox = createOutbox({ ...limits, outputBytes: 25 });
    for (let i = 0; i < 4; i++) outbox.output("STDOUT", "0123456789");
    expect(outbox.next()?.output).toHaveLength(3);
  });

  it("takes nothing after the ending", () => {
    const outbox = createOutbox(limits);
    outbox.end(ending);
    outbox.output("LOG", "late");
    outbox.progress(progress(1));
    outbox.end({ ...ending, kind: "cancelled" });
    expect(outbox.next()).toEqual({ seq: 1, progress: null, output: [], steps: [], ending });
  });

  it("puts the ending into the last update when rows fill several", () => {
    const outbox = createOutbox({ outputBytes: 1e6, outputLines: 2_500, lineBytes: 10 });
    for (let i = 0; i < 2_500; i++) outbox.output("LOG", "x");
    outbox.end(ending);
    const seen: [number, boolean][] = [];
    for (let next = outbox.next(); next !== null; next = outbox.next()) {
      seen.push([next.output.length, next.ending !== null]);
      outbox.acknowledged();
    }
    expect(seen).toEqual([
      [1_000, false],
      [1_000, false],
      [500, true],
    ]);
  });

  it("tells whoever waits for a step that nobody will have it, before and after it is forgotten", () => {
    const outbox = createOutbox(limits);
    const told: string[] = [];
    const step = (name: string): void => {
      outbox.step({ name, result: "1" }, (durable) => told.push(`${name} ${durable}`));
    };
    step("sent");
    outbox.next();
    step("waits");
    outbox.forget();
    step("late");
    expect(told).toEqual(["sent false", "waits false", "late false"]);
    outbox.acknowledged();
    expect(told).toHaveLength(3);
  });
});
