import { SERVER } from "../../src/jobs/audit.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { Capability, OrganizationId, RunnerId } from "../../src/jobs/ids.ts";
import { cancel } from "../../src/shard/commands/cancel.ts";
import { loseRunner } from "../../src/shard/commands/clockwork.ts";
import { configure } from "../../src/shard/commands/configure.ts";
import { report } from "../../src/shard/commands/report.ts";
import { refOf } from "../../src/shard/commands/reconcile.ts";
import { submit } from "../../src/shard/commands/submit.ts";
import type { ActiveJob } from "../../src/shard/active-job.ts";
import { goesBefore } from "../../src/shard/ready-queue.ts";
import type { Placement } from "../../src/shard/scheduler.ts";
import { statsOf } from "../../src/shard/stats.ts";
import { aSubmission } from "../support/job-row.ts";
import { acme, namesOf, RUNNER, Shard, someLimits } from "./harness.ts";

const succeed = ({ job }: Placement) => {
  const ref = refOf(job);
  if (ref === null) throw new Error("not started");
  return report([
    {
      ref,
      seq: 1,
      progress: null,
      output: [],
      steps: [],
      ending: { kind: "succeeded", result: "1", cpuMs: 0, peakMemoryBytes: 0 },
    },
  ]);
};

const jobs = (...names: string[]) => submit(names.map((name) => aSubmission({ name })));

describe("placing jobs on slots", () => {
  test("a job that finds a free slot starts in the turn that submitted it", () => {
    const shard = new Shard();
    shard.offer(1);
    const { placements, turn } = shard.do(jobs("a"));
    expect(namesOf(placements)).toEqual(["a"]);
    expect(turn.changes().inserted).toMatchObject([{ state: "RUNNING", attempt: 1 }]);
    expect(turn.changes().updated).toEqual([]);
  });

  test("higher priority goes first, then first in, first out", () => {
    const shard = new Shard();
    shard.do(
      submit([
        aSubmission({ name: "low", priority: -1 }),
        aSubmission({ name: "first" }),
        aSubmission({ name: "second" }),
        aSubmission({ name: "high", priority: 7 }),
      ]),
    );
    shard.offer(4);
    expect(namesOf(shard.do(jobs()).placements)).toEqual(["high", "first", "second", "low"]);
  });

  test("the oldest job that waits is known, also behind those of higher priority", () => {
    const shard = new Shard();
    shard.do(submit([aSubmission({ priority: -1 })]));
    shard.now = 5_000;
    shard.do(submit([aSubmission({ priority: 9 })]));
    expect(statsOf(0, shard.state)).toMatchObject({ queued: 2, oldestQueuedAt: 1_000 });
  });

  test("priority holds across capabilities of one organization", () => {
    const shard = new Shard();
    const handler = "handler:mail" as Capability;
    shard.do(
      submit([
        aSubmission({ name: "script" }),
        aSubmission({ name: "urgent", capability: handler, priority: 5 }),
      ]),
    );
    shard.offer(1, ["script" as Capability, handler]);
    expect(namesOf(shard.do(jobs()).placements)).toEqual(["urgent"]);
  });

  test("a job that no runner can do does not keep others waiting", () => {
    const shard = new Shard();
    shard.offer(1);
    const exotic = aSubmission({ name: "exotic", capability: "handler:none" as Capability });
    const { placements } = shard.do(submit([exotic, aSubmission({ name: "plain" })]));
    expect(namesOf(placements)).toEqual(["plain"]);
  });

  test("an organization runs no more than its limit", () => {
    const shard = new Shard({ maxRunning: 2 });
    shard.offer(10);
    const { placements } = shard.do(jobs("a", "b", "c"));
    expect(namesOf(placements)).toEqual(["a", "b"]);
    const [first] = placements;
    if (first === undefined) throw new Error("nothing was placed");
    expect(namesOf(shard.do(succeed(first)).placements)).toEqual(["c"]);
  });

  test("organizations take turns, whatever their backlog", () => {
    const shard = new Shard();
    const light = "light" as OrganizationId;
    shard.admit(light);
    shard.do(jobs("a1", "a2", "a3", "a4"));
    shard.do(submit([aSubmission({ name: "b1", organizationId: light })]));
    shard.offer(2);
    expect(namesOf(shard.do(jobs()).placements)).toEqual(["a1", "b1"]);
  });

  test("of the jobs with one concurrency key, one runs; the next starts when it ends", () => {
    const shard = new Shard();
    shard.offer(5);
    const { placements } = shard.do(
      submit([
        aSubmission({ name: "one", concurrencyKey: "k" }),
        aSubmission({ name: "two", concurrencyKey: "k" }),
        aSubmission({ name: "free" }),
      ]),
    );
    expect(namesOf(placements)).toEqual(["one", "free"]);
    const [one] = placements;
    if (one === undefined) throw new Error("nothing was placed");
    expect(namesOf(shard.do(succeed(one)).placements)).toEqual(["two"]);
  });

  test("a parked job can be cancelled, and the key is free afterwards", () => {
    const shard = new Shard();
    shard.offer(5);
    const parked = aSubmission({ name: "two", concurrencyKey: "k" });
    const { placements } = shard.do(
      submit([aSubmission({ name: "one", concurrencyKey: "k" }), parked]),
    );
    shard.do(cancel(acme, parked.job.id, { reason: "", by: SERVER }));
    const [one] = placements;
    if (one === undefined) throw new Error("nothing was placed");
    shard.do(succeed(one));
    expect(shard.state.organization(acme)?.hasKey("k")).toBe(false);
  });

  test("jobs of a lost runner keep their order", () => {
    const shard = new Shard();
    shard.offer(3);
    shard.do(jobs("a", "b", "c"));
    shard.slots.withdraw(RUNNER);
    shard.do(loseRunner(RUNNER));
    shard.offer(3, ["script" as Capability], "runner-2" as RunnerId);
    expect(namesOf(shard.do(jobs()).placements)).toEqual(["a", "b", "c"]);
  });

  test("a rescued job goes before those that came after it", () => {
    const shard = new Shard();
    shard.offer(1);
    shard.do(jobs("rescued"));
    shard.do(jobs("later"));
    expect(namesOf(shard.do(loseRunner(RUNNER)).placements)).toEqual(["rescued"]);
  });
});

describe("in any history", () => {
  test("limits hold, counts agree with the jobs, and nothing that could run waits", () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant("submit" as const),
        organization: fc.constantFrom("a", "b", "c"),
        key: fc.constantFrom("", "", "k1", "k2"),
        type: fc.constantFrom("", "t1", "t2"),
        priority: fc.integer({ min: -1, max: 1 }),
      }),
      fc.record({
        kind: fc.constant("configure" as const),
        organization: fc.constantFrom("a", "b", "c"),
        maxRunning: fc.nat(3),
        ofType: fc.option(fc.nat(2)),
        weight: fc.integer({ min: 1, max: 3 }),
      }),
      fc.record({ kind: fc.constant("end" as const), which: fc.nat() }),
      fc.record({ kind: fc.constant("cancel" as const), which: fc.nat() }),
      fc.record({ kind: fc.constant("lose" as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const shard = new Shard();
        for (const id of ["a", "b", "c"]) shard.admit(id as OrganizationId, { maxRunning: 2 });
        shard.offer(4);
        let running: Placement[] = [];
        const active = () =>
          [...shard.state.organizations()].flatMap(({ jobs: held }) => [...held.values()]);
        const run: Shard["do"] = (command, cold) => {
          const told = shard.do(command, cold);
          running = [...running, ...told.placements].filter(
            ({ job }) => job.row.state === "RUNNING",
          );
          for (const placed of told.placements) checkPlacement(placed);
          return told;
        };
        for (const one of steps) {
          if (one.kind === "submit") {
            run(
              submit([
                aSubmission({
                  organizationId: one.organization as OrganizationId,
                  concurrencyKey: one.key,
                  type: one.type,
                  priority: one.priority,
                }),
              ]),
            );
          } else if (one.kind === "configure") {
            const organizationId = one.organization as OrganizationId;
            const types = new Map(one.ofType === null ? [] : [["t1", one.ofType]]);
            const { maxRunning, weight } = one;
            run(configure([organizationId]), {
              organizations: [someLimits({ organizationId, maxRunning, types, weight })],
            });
          } else if (one.kind === "end") {
            const placement = running[one.which % Math.max(1, running.length)];
            if (placement !== undefined) run(succeed(placement));
          } else if (one.kind === "cancel") {
            const job = active()[one.which % Math.max(1, active().length)];
            if (job !== undefined)
              run(cancel(job.row.organizationId, job.row.id, { reason: "", by: SERVER }));
          } else {
            run(loseRunner(RUNNER));
          }
          check(shard);
        }
      }),
      { numRuns: 300 },
    );
  });
});

const isRunning = ({ row }: ActiveJob): boolean => row.state === "RUNNING";

/** As far as its key and its type are concerned. */
const couldStart = ({ row, organization }: ActiveJob): boolean => {
  if (row.state !== "QUEUED") return false;
  // A type whose runner was lost five times is paused.
  if ((organization.breaker(row.type)?.openedAt ?? null) !== null) return false;
  const running = [...organization.jobs.values()].filter(isRunning);
  const { type, concurrencyKey } = row;
  const ofKey = running.filter((other) => other.row.concurrencyKey === concurrencyKey).length;
  const ofType = running.filter((other) => other.row.type === type).length;
  const limit = organization.limits.types.get(type) ?? Number.POSITIVE_INFINITY;
  return (concurrencyKey === "" || ofKey === 0) && ofType < limit;
};

/** What was started is within every limit, and nothing that goes before it could have started instead. */
const checkPlacement = ({ job }: Placement): void => {
  const { organization, row } = job;
  const all = [...organization.jobs.values()];
  const ofType = all.filter((other) => isRunning(other) && other.row.type === row.type).length;
  expect(organization.running).toBeLessThanOrEqual(organization.limits.maxRunning);
  expect(ofType).toBeLessThanOrEqual(organization.limits.types.get(row.type) ?? ofType);
  expect(all.filter((other) => couldStart(other) && goesBefore(other, job))).toEqual([]);
};

const check = (shard: Shard): void => {
  let total = 0;
  let couldRun = 0;
  for (const organization of shard.state.organizations()) {
    const rows = [...organization.jobs.values()].map(({ row }) => row);
    const running = rows.filter(({ state }) => state === "RUNNING");
    const keys = running.map(({ concurrencyKey }) => concurrencyKey).filter((key) => key !== "");
    expect(running.length).toBe(organization.running);
    expect(new Set(keys).size).toBe(keys.length);
    total += running.length;
    if (organization.mayRunMore)
      couldRun += [...organization.jobs.values()].filter(couldStart).length;
    expect(organization.queued).toBe(rows.filter(({ state }) => state === "QUEUED").length);
  }
  expect(total).toBeLessThanOrEqual(4);
  expect(shard.slots.free("script" as Capability)).toBe(4 - total);
  if (total < 4) expect(couldRun).toBe(0);
};
