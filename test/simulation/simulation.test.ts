import { describe, expect, test } from "vitest";

import { openSimulatedStore } from "./open-store.ts";
import { simulate } from "./simulate.ts";

const SEEDS = 60;
const CHUNK = 5;

describe("every promise holds under crashes, lost runners, and lost or doubled commits", () => {
  const chunks = Array.from({ length: SEEDS / CHUNK }, (_, index) => index * CHUNK + 1);
  const seen = new Map<string, number>();
  test.each(chunks)("seeds from %i", async (from) => {
    const broken: string[] = [];
    let commits = 0;
    for (let seed = from; seed < from + CHUNK; seed += 1) {
      const report = await simulate(seed, openSimulatedStore);
      commits += report.commits;
      for (const [name, count] of Object.entries(report.seen)) {
        seen.set(name, (seen.get(name) ?? 0) + count);
      }
      for (const fault of report.faults)
        broken.push(`npm run simulate -- --seed ${seed}: ${fault}`);
    }
    expect(broken).toEqual([]);
    expect(commits).toBeGreaterThan(CHUNK * 10);
  });

  test("what not every history has happened in some of them", () => {
    for (const [name, count] of seen) expect(count, name).toBeGreaterThan(SEEDS / 10);
  });

  test("a database that loses what it acknowledged is noticed", async () => {
    const { faults } = await simulate(1, openSimulatedStore, { lies: 0.05 });
    expect(faults).not.toEqual([]);
  });

  test("a seed determines its whole history", async () => {
    const [first, second] = [
      await simulate(42, openSimulatedStore),
      await simulate(42, openSimulatedStore),
    ];
    expect(second).toEqual(first);
  });
});
