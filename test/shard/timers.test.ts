import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { ActiveJob } from "../../src/shard/active-job.ts";
import { Fifo } from "../../src/shard/fifo.ts";
import { Organization } from "../../src/shard/organization.ts";
import { Timers } from "../../src/shard/timers.ts";
import { aJobRow } from "../support/job-row.ts";
import { someLimits } from "./harness.ts";

const organization = new Organization(someLimits({ maxRunning: 1, maxQueued: 1 }));
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

describe("a first-in-first-out list", () => {
  test("gives back in order, what was put back first", () => {
    const list = new Fifo<number>();
    for (let item = 0; item < 5; item += 1) list.push(item);
    expect(list.shift()).toBe(0);
    list.putBack(9);
    list.filter((item) => item !== 2);
    expect([list.shift(), list.shift(), list.shift(), list.shift(), list.shift()]).toEqual([
      9,
      1,
      3,
      4,
      undefined,
    ]);
    expect(list.length).toBe(0);
  });
});
