import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { SCRIPT, type Capability, type OrganizationId } from "../../src/jobs/ids.ts";
import type { Command } from "../../src/shard/commands/command.ts";
import { submit } from "../../src/shard/commands/submit.ts";
import type { Organization } from "../../src/shard/organization.ts";
import type { Placement } from "../../src/shard/scheduler.ts";
import { aSubmission } from "../support/job-row.ts";
import { endOf, succeeded } from "./endings.ts";
import { Shard } from "./harness.ts";

const idOf = (name: string) => name as OrganizationId;

/** Organizations on some slots, whose attempts end when the test says, at the cost that it says. */
class Contest {
  readonly shard = new Shard();
  running: Placement[] = [];
  /** By organization: what its ended attempts have cost, by its weight. */
  readonly served = new Map<string, number>();
  readonly started: string[] = [];

  constructor(weights: Readonly<Record<string, number>>, slots: number, maxRunning = 1_000) {
    for (const [name, weight] of Object.entries(weights)) {
      this.shard.admit(idOf(name), { weight, maxRunning, maxQueued: 1_000_000 });
      this.served.set(name, 0);
    }
    this.shard.offer(slots);
  }

  organization(name: string): Organization {
    const organization = this.shard.state.organization(idOf(name));
    if (organization === undefined) throw new Error(`there is no ${name}`);
    return organization;
  }

  submit(name: string, count: number): void {
    const organizationId = idOf(name);
    this.#do(submit(Array.from({ length: count }, () => aSubmission({ organizationId }))));
  }

  end(index: number, costMs: number): void {
    const [placement] = this.running.splice(index % Math.max(1, this.running.length), 1);
    if (placement === undefined) return;
    const { id, limits } = placement.job.organization;
    this.served.set(id, (this.served.get(id) ?? 0) + costMs / limits.weight);
    this.#do(endOf(placement, succeeded(costMs)));
  }

  #do(command: Parameters<Shard["do"]>[0]): void {
    const { placements } = this.shard.do(command);
    this.running.push(...placements);
    this.started.push(...placements.map(({ job }) => job.organization.id));
  }
}

describe("organizations share the slots", () => {
  test("so that, while two of them wait, what they get differs by no more than the bound", () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant("submit" as const),
        name: fc.constantFrom("a", "b"),
        count: fc.integer({ min: 1, max: 8 }),
      }),
      fc.record({
        kind: fc.constant("end" as const),
        which: fc.nat(20),
        // Anything from nothing to a thousand times as much as the job before.
        cost: fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 10_000 })),
      }),
    );
    let compared = 0;
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 20, maxLength: 150 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 2, max: 6 }),
        (steps, a, b, slots, maxRunning) => {
          const contest = new Contest({ a, b }, slots, maxRunning);
          const names = ["a", "b"] as const;
          const worst = {
            a: { running: 0, cost: 0, estimate: 0 },
            b: { running: 0, cost: 0, estimate: 0 },
          };
          let low = Number.POSITIVE_INFINITY;
          let high = Number.NEGATIVE_INFINITY;
          for (const one of steps) {
            if (one.kind === "submit") {
              contest.submit(one.name, one.count);
            } else {
              const ended = contest.running[one.which % Math.max(1, contest.running.length)];
              const name = ended?.job.organization.id as "a" | "b" | undefined;
              if (name !== undefined) worst[name].cost = Math.max(worst[name].cost, one.cost);
              contest.end(one.which, one.cost);
            }
            let bound = 0;
            let bothWait = true;
            for (const name of names) {
              const organization = contest.organization(name);
              const contender = organization.contender(SCRIPT);
              const most = worst[name];
              most.running = Math.max(most.running, organization.running);
              most.estimate = Math.max(most.estimate, contender?.estimateMs ?? 0);
              bound += (most.running * (most.cost + most.estimate)) / organization.limits.weight;
              bothWait &&= contender?.line.fair.has(contender) ?? false;
            }
            if (!bothWait) {
              [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
              continue;
            }
            const difference = (contest.served.get("a") ?? 0) - (contest.served.get("b") ?? 0);
            low = Math.min(low, difference);
            high = Math.max(high, difference);
            if (high > low) compared += 1;
            expect(high - low).toBeLessThanOrEqual(bound + 1e-6);
          }
        },
      ),
      { numRuns: 500 },
    );
    expect(compared).toBeGreaterThan(500);
  });

  test("by their weights, whatever each of their jobs costs", () => {
    const contest = new Contest({ light: 1, heavy: 3 }, 4);
    contest.submit("light", 2_000);
    contest.submit("heavy", 2_000);
    for (let count = 0; count < 1_000; count += 1) {
      const name = contest.running[0]?.job.organization.id;
      contest.end(0, name === idOf("light") ? 50 : 10);
    }
    const [light = 0, heavy = 0] = [contest.served.get("light"), contest.served.get("heavy")];
    // Both are by weight already: 4 attempts of at most 50 ms, and the first estimate, at each side.
    expect(Math.abs(light - heavy)).toBeLessThan(4 * 150 + (4 * 110) / 3);
    expect(light).toBeGreaterThan(2_000);
  });

  test("and one that comes after a long idleness gets its share from then on, and no more", () => {
    const contest = new Contest({ busy: 1, idle: 1 }, 1);
    contest.submit("busy", 500);
    for (let count = 0; count < 200; count += 1) contest.end(0, 10);
    contest.submit("idle", 200);
    contest.started.length = 0;
    for (let count = 0; count < 100; count += 1) contest.end(0, 10);
    const idle = contest.started.filter((name) => name === "idle").length;
    expect(idle).toBeGreaterThanOrEqual(49);
    expect(idle).toBeLessThanOrEqual(53);
  });

  test("so that a first job waits for one of each other organization at most, however many they have queued", () => {
    for (const neighbours of [1, 20]) {
      const names = Array.from({ length: neighbours }, (_, index) => `heavy-${index}`);
      const weights = Object.fromEntries([...names, "newcomer"].map((name) => [name, 1]));
      const contest = new Contest(weights, 1);
      for (const name of names) contest.submit(name, 20_000 / neighbours);
      for (let count = 0; count < 50; count += 1) contest.end(0, 10);
      contest.submit("newcomer", 1);
      contest.started.length = 0;
      while (!contest.started.includes("newcomer")) contest.end(0, 10);
      expect(contest.started.length).toBeLessThanOrEqual(neighbours + 1);
    }
  });

  test("also when one of them has jobs for many handlers of the same runner", () => {
    const handlers = Array.from({ length: 10 }, (_, index) => `handler:${index}` as Capability);
    const contest = new Contest({ many: 1, one: 1 }, 0);
    contest.shard.offer(1, handlers);
    const jobs = handlers.flatMap((capability) =>
      Array.from({ length: 50 }, () =>
        aSubmission({ organizationId: idOf("many"), capability, type: capability }),
      ),
    );
    contest.running.push(...contest.shard.do(submit(jobs)).placements);
    const capability = handlers[3];
    const its = Array.from({ length: 100 }, () =>
      aSubmission({ organizationId: idOf("one"), ...(capability && { capability }) }),
    );
    contest.shard.do(submit(its));
    for (let count = 0; count < 100; count += 1) contest.end(0, 10);
    const share = contest.started.filter((name) => name === "one").length;
    expect(share).toBeGreaterThanOrEqual(47);
    expect(share).toBeLessThanOrEqual(54);
  });

  test("and slots that nobody else can use cost nothing in the line for others", () => {
    const rare = "handler:rare" as Capability;
    const contest = new Contest({ both: 1, plain: 1 }, 1);
    contest.shard.offer(1, [rare], "runner-2" as never);
    const organizationId = idOf("both");
    const jobs = Array.from({ length: 100 }, () =>
      aSubmission({ organizationId, capability: rare }),
    );
    contest.running.push(...contest.shard.do(submit(jobs)).placements);
    for (let count = 0; count < 50; count += 1) contest.end(0, 1_000);
    contest.submit("plain", 100);
    contest.submit("both", 100);
    contest.started.length = 0;
    for (let count = 0; count < 20; count += 1) {
      contest.end(
        contest.running.findIndex(({ job }) => job.row.capability === SCRIPT),
        10,
      );
    }
    expect(contest.started.filter((name) => name === "both").length).toBeGreaterThanOrEqual(9);
  });

  test("nor do cheap jobs for those win the line for others", () => {
    const rare = "handler:rare" as Capability;
    const { shard } = new Contest({ both: 1, plain: 1 }, 1);
    shard.offer(100, [rare], "runner-2" as never);
    const jobsOf = (name: string, count: number, facts = {}) =>
      submit(
        Array.from({ length: count }, () => aSubmission({ organizationId: idOf(name), ...facts })),
      );
    let running: readonly Placement[] = [];
    const started: string[] = [];
    const turn = (...commands: readonly Command<unknown>[]): void => {
      const { placements } = shard.do({
        weight: 1,
        bytes: 0,
        want: () => {},
        apply: (turn) => commands.map((command) => command.apply(turn)),
      });
      running = placements;
      const scripts = placements.filter(({ job }) => job.row.capability === SCRIPT);
      started.push(...scripts.map(({ job }) => job.organization.id));
    };
    turn(jobsOf("both", 100), jobsOf("plain", 100));
    for (let count = 0; count < 60; count += 1) {
      const ends = running.map((one) =>
        endOf(one, succeeded(one.job.row.capability === rare ? 1 : 100)),
      );
      turn(...ends, jobsOf("both", 1, { capability: rare, priority: -10 }));
    }
    const share = started.filter((name) => name === "both").length;
    expect(share).toBeGreaterThanOrEqual(28);
    expect(share).toBeLessThanOrEqual(33);
  });
});
