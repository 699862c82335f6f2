import { describe, expect, test } from "vitest";

import { SERVER } from "../../src/jobs/audit.ts";
import type { PointRow } from "../../src/jobs/metric.ts";
import { Sketch } from "../../src/jobs/sketch.ts";
import { cancel } from "../../src/shard/commands/cancel.ts";
import { loseRunner, wakeUp } from "../../src/shard/commands/clockwork.ts";
import { closeMinutes, sampleQueues, writeRollup } from "../../src/shard/commands/metrics.ts";
import { retry } from "../../src/shard/commands/retry.ts";
import { submit } from "../../src/shard/commands/submit.ts";
import { notePoints } from "../../src/shard/points.ts";
import type { Submission } from "../../src/jobs/submission.ts";
import { DEFAULT_RETRY_POLICY } from "../../src/jobs/retry.ts";
import { aSubmission } from "../support/job-row.ts";
import { endOf, failedWith, succeeded } from "./endings.ts";
import { acme, RUNNER, Shard } from "./harness.ts";

const MINUTE = 60_000;

type Done = Parameters<Shard["do"]>;

/** What the turn writes, and whom it placed. */
const doing = (shard: Shard, ...what: Done) => {
  const done = shard.do(...what);
  notePoints(done.turn);
  return { ...done, points: done.turn.changes().points };
};

const begun = (limits = {}) => {
  const shard = new Shard(limits);
  shard.now = 10 * MINUTE;
  return shard;
};

const jobs = (count: number, facts: Parameters<typeof aSubmission>[0] = {}): Submission[] =>
  Array.from({ length: count }, () => aSubmission({ createdAt: 10 * MINUTE, ...facts }));

const told = (point: PointRow | undefined) => ({
  ...point,
  queue: Sketch.of(point?.queue ?? "").count,
  run: Sketch.of(point?.run ?? "").count,
  total: Sketch.of(point?.total ?? "").count,
});

describe("a commit counts what it did", () => {
  test("as one row for each organization and type, however many jobs", () => {
    const shard = begun({ maxRunning: 600 });
    shard.offer(600);
    const { points } = doing(shard, submit([...jobs(900, { type: "a" }), ...jobs(100)]));
    expect(points).toHaveLength(2);
    expect(told(points.find(({ type }) => type === "a"))).toMatchObject({
      ...{ resolution: "MINUTE", at: 10 * MINUTE, submitted: 900, started: 600, queue: 600 },
    });
    expect(told(points.find(({ type }) => type === ""))).toMatchObject({ submitted: 100 });
  });

  test("in absolute numbers of the open minute; the next one begins from zero", () => {
    const shard = begun();
    doing(shard, submit(jobs(2)));
    expect(doing(shard, submit(jobs(3))).points).toMatchObject([{ submitted: 5 }]);
    shard.now = 11 * MINUTE;
    const next = doing(shard, submit(jobs(1))).points;
    expect(next).toMatchObject([{ submitted: 1, at: 11 * MINUTE, queueAgeMs: MINUTE }]);
    shard.now = 10 * MINUTE + 1;
    const behind = doing(shard, submit(jobs(1))).points;
    expect(behind).toMatchObject([{ submitted: 2, at: 11 * MINUTE }]);
  });

  test("with durations of queue, run and whole life", () => {
    const shard = begun();
    doing(shard, submit(jobs(1)));
    shard.now += 3_000;
    shard.offer(1);
    const { placements } = doing(shard, wakeUp(1));
    shard.now += 5_000;
    for (const placement of placements) {
      const [point] = doing(shard, endOf(placement, succeeded())).points;
      expect(point).toMatchObject({ started: 1, succeeded: 1, queueAgeMs: 3_000 });
      expect(Sketch.of(point?.queue ?? "").max).toBe(3_000);
      expect(Sketch.of(point?.run ?? "").max).toBe(5_000);
      expect(Sketch.of(point?.total ?? "").max).toBe(8_000);
    }
  });

  test("retries, lost attempts and second endings of a job that was retried by hand", () => {
    const shard = begun();
    shard.offer(1);
    const retryPolicy = { ...DEFAULT_RETRY_POLICY, initialBackoffMs: 0, maxBackoffMs: 0 };
    const first = doing(shard, submit(jobs(1, { retryPolicy })));
    const again = doing(shard, loseRunner(RUNNER));
    expect(told(again.points[0])).toMatchObject({ started: 2, retried: 0, run: 1, queue: 2 });
    shard.now += 1_000;
    const [placed] = again.placements;
    if (placed === undefined || first.placements.length !== 1) throw new Error("not started");
    const failed = doing(shard, endOf(placed, failedWith("broken")));
    expect(told(failed.points[0])).toMatchObject({ failed: 1, retried: 0, run: 2, total: 1 });
    const { row } = placed.job;
    const revived = doing(shard, retry(acme, row.id, SERVER), { jobs: [row] });
    expect(told(revived.points[0])).toMatchObject({ started: 3, retried: 1, failed: 1 });
    const [last] = revived.placements;
    if (last === undefined) throw new Error("not started");
    const ended = doing(shard, endOf(last, succeeded()));
    expect(told(ended.points[0])).toMatchObject({
      submitted: 1,
      succeeded: 1,
      failed: 1,
      total: 2,
    });
  });

  test("nothing where nothing was counted", () => {
    const shard = begun();
    expect(doing(shard, wakeUp(1)).points).toEqual([]);
    const [job] = jobs(1);
    if (job === undefined) return;
    doing(shard, submit([job]));
    const by = { reason: "", by: SERVER };
    expect(doing(shard, cancel(acme, job.job.id, by)).points).toMatchObject([{ cancelled: 1 }]);
  });

  test("types beyond the two hundredth of a minute together", () => {
    const shard = begun();
    const many = Array.from({ length: 250 }, (_, at) => aSubmission({ type: `type-${at}` }));
    const { points } = doing(shard, submit(many));
    expect(points).toHaveLength(201);
    expect(points.find(({ type }) => type === "(other)")).toMatchObject({ submitted: 50 });
  });
});

describe("minutes that are closed", () => {
  test("are not written any more, whatever the clock says", () => {
    const shard = begun();
    shard.do(closeMinutes(12 * MINUTE));
    expect(doing(shard, submit(jobs(1))).points).toMatchObject([{ at: 12 * MINUTE }]);
  });

  test("alone are rolled up", () => {
    const shard = begun();
    const rollup = { resolution: "HOUR" as const, until: 60 * MINUTE };
    expect(doing(shard, writeRollup([], rollup, 60 * MINUTE)).outcome).toBe(false);
    shard.do(closeMinutes(60 * MINUTE));
    const { turn, outcome } = doing(shard, writeRollup([], rollup, 60 * MINUTE));
    expect(outcome).toBe(true);
    expect(turn.changes().rollups).toEqual([rollup]);
  });
});

test("a queue that stands still is seen once in a minute", () => {
  const shard = begun();
  doing(shard, submit(jobs(1, { type: "a" })));
  expect(doing(shard, sampleQueues([acme])).points).toEqual([]);
  shard.now += 30 * MINUTE;
  expect(doing(shard, sampleQueues([acme])).points).toMatchObject([
    { type: "a", at: 40 * MINUTE, submitted: 0, queueAgeMs: 30 * MINUTE },
  ]);
  expect(doing(shard, sampleQueues([acme])).points).toEqual([]);
});
