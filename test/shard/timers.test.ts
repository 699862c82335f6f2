import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { ActiveJob } from "../../src/shard/active-job.ts";
import { ShardState } from "../../src/shard/state.ts";
import { Timers } from "../../src/shard/timers.ts";
import { aJobRow } from "../support/job-row.ts";
import { someLimits } from "./harness.ts";

const organization = new ShardState().admit(someLimits());
const aJob = () => new ActiveJob(aJobRow(), organization);

describe("timers", () => {
  test("give out every job once, at its latest time, in order", () => {
    const sets = fc.array(fc.record({ job: fc.nat(9), at: fc.option(fc.nat(50)) }));
    fc.assert(
      fc.property(sets, (settings) => {
        const jobs = Array.from({ length: 10 }, aJob);
        const timers = new Timers();
        const expected = new Map<ActiveJob, number>();
        for (const { job: index, at } of settings) {
          const job = jobs[index] ?? aJob();
          timers.set(job, at ?? Number.POSITIVE_INFINITY);
          if (at === null) expected.delete(job);
          else expected.set(job, at);
        }
        const fired: number[] = [];
        for (let now = 0; now <= 50; now += 1) {
          for (let job = timers.due(now); job !== undefined; job = timers.due(now)) {
            expect(expected.get(job)).toBe(now);
            expected.delete(job);
            fired.push(now);
          }
        }
        expect(expected.size).toBe(0);
        expect(timers.next()).toBe(Number.POSITIVE_INFINITY);
      }),
    );
  });

  test("that are set again and again do not pile up", () => {
    const timers = new Timers();
    const job = aJob();
    for (let at = 100_000; at > 0; at -= 1) timers.set(job, at);
    expect(timers.size).toBeLessThan(3_000);
    expect(timers.due(1)).toBe(job);
    expect(timers.due(100_000)).toBeUndefined();
  });
});
