import { describe, expect, test } from "vitest";

import { SCRIPT } from "../../src/jobs/ids.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import { LIMITS } from "../../src/jobs/limits.ts";
import { SERVER } from "../../src/jobs/audit.ts";
import { JobFault } from "../../src/jobs/errors.ts";
import { restFor, wakeFrom } from "../../src/shard/commands/await-child.ts";
import { cancel } from "../../src/shard/commands/cancel.ts";
import { report } from "../../src/shard/commands/report.ts";
import { submit } from "../../src/shard/commands/submit.ts";
import type { AttemptRef } from "../../src/jobs/report.ts";
import type { OrganizationLimits } from "../../src/store/store.ts";
import { aSubmission } from "../support/job-row.ts";
import { acme, namesOf, Shard } from "./harness.ts";

const refOf = (row: JobRow): AttemptRef => ({
  organizationId: row.organizationId,
  jobId: row.id,
  attempt: row.attempt,
  leaseToken: row.leaseToken as AttemptRef["leaseToken"],
});

const reasonOf = (outcome: unknown): string => (outcome instanceof JobFault ? outcome.reason : "");

/** A shard in which jobs are submitted, end, and wait for each other. */
const family = (limits: Partial<OrganizationLimits> = {}, slots = 10) => {
  const shard = new Shard(limits);
  shard.offer(slots, [SCRIPT]);
  const started: string[] = [];
  const told = <Outcome>({
    outcome,
    placements,
  }: ReturnType<typeof shard.do<Outcome>>): Outcome => {
    started.push(...namesOf(placements));
    return outcome;
  };
  return {
    shard,
    started,
    add: (name: string, facts: Partial<JobRow> = {}) => {
      const [outcome] = told(shard.do(submit([aSubmission({ name, ...facts })])));
      if (outcome === undefined) throw new Error("no outcome");
      return outcome instanceof JobFault ? outcome : outcome.job;
    },
    job: (name: string, facts: Partial<JobRow> = {}): JobRow => {
      const [outcome] = told(shard.do(submit([aSubmission({ name, ...facts })])));
      if (outcome === undefined || outcome instanceof JobFault) throw new Error("refused");
      return outcome.job;
    },
    rest: (parent: JobRow, child: JobRow) =>
      told(shard.do(restFor(refOf(shard.row(parent) ?? parent), child.id))),
    wake: (parent: JobRow, child: JobRow) =>
      told(shard.do(wakeFrom(refOf(shard.row(parent) ?? parent), child.id))),
    cancel: (job: JobRow) =>
      told(shard.do(cancel(job.organizationId, job.id, { reason: "enough", by: SERVER }))),
    succeed: (job: JobRow) => {
      const row = shard.row(job) ?? job;
      const ending = { kind: "succeeded", result: "1", cpuMs: 1, peakMemoryBytes: 1 } as const;
      const one = { ref: refOf(row), seq: 1, progress: null, output: [], steps: [], ending };
      return told(shard.do(report([one])));
    },
    running: () => shard.state.organization(acme)?.running,
  };
};

describe("children", () => {
  test("know their parent, which counts them, and how deep they are", () => {
    const { shard, job } = family();
    const parent = job("parent", { hookChain: ["hook" as never] });
    const child = job("child", { parentId: parent.id });
    const grandchild = job("grandchild", { parentId: child.id });
    expect(shard.row(parent)?.childCount).toBe(1);
    expect(child).toMatchObject({ depth: 1, hookChain: ["hook"] });
    expect(grandchild).toMatchObject({ depth: 2, hookChain: ["hook"] });
  });

  test("are refused to a parent that does not run, has too many, or is too deep", () => {
    const { shard, add, job } = family();
    const waits = job("waits", { runAt: 9_000 });
    expect(reasonOf(add("a", { parentId: waits.id }))).toBe("JOB_NOT_RUNNING");
    const full = job("full", { childCount: LIMITS.children });
    expect(reasonOf(add("b", { parentId: full.id }))).toBe("TOO_MANY_CHILDREN");
    const deep = job("deep", { depth: LIMITS.childDepth });
    expect(reasonOf(add("c", { parentId: deep.id }))).toBe("CHILD_TOO_DEEP");
    expect(shard.row(full)?.childCount).toBe(LIMITS.children);
  });

  test("are cancelled with their parent, and theirs with them", () => {
    const { shard, job, cancel: cancelJob } = family({ maxRunning: 3 });
    const parent = job("parent");
    const child = job("child", { parentId: parent.id });
    const grandchild = job("grandchild", { parentId: child.id });
    const late = job("late", { parentId: child.id, runAt: 9_000 });
    cancelJob(parent);
    // Those that run are stopped first.
    for (const row of [parent, child, grandchild]) {
      expect(shard.row(row)).toMatchObject({ state: "RUNNING", cancelRequestedAt: 1_000 });
    }
    expect(shard.row(child)?.cancelReason).toBe("The job that submitted it was cancelled.");
    expect(shard.row(late)).toBe(undefined);
    const latest = job("submitted meanwhile", { parentId: child.id });
    cancelled(shard, child);
    expect(shard.row(latest)).toBe(undefined);
  });
});

const cancelled = (shard: Shard, job: JobRow): void => {
  const ref = refOf(shard.row(job) ?? job);
  const ending = { kind: "cancelled", cpuMs: 0, peakMemoryBytes: 0 } as const;
  shard.do(report([{ ref, seq: 1, progress: null, output: [], steps: [], ending }]));
};

describe("an attempt that waits for its child", () => {
  // What counts for a type is looked at in between.
  test.each(["", "mail"])("makes room for it before others, and counts after it: %o", (type) => {
    const { started, job, rest, succeed, running } = family({ maxRunning: 1 }, 2);
    const parent = job("parent");
    job("urgent", { type, priority: 100 });
    const child = job("child", { type, parentId: parent.id, priority: -100 });
    expect(started).toEqual(["parent"]);
    rest(parent, child);
    expect(started).toEqual(["parent", "child"]);
    expect(running()).toBe(1);
    succeed(child);
    // The parent has its place and its slot again: nobody else starts.
    expect(started).toEqual(["parent", "child"]);
    expect(running()).toBe(1);
    succeed(parent);
    expect(started).toEqual(["parent", "child", "urgent"]);
    expect(running()).toBe(1);
  });

  test("leaves to others what is free beside it", () => {
    const { shard, job, rest } = family({ maxRunning: 2 }, 1);
    const parent = job("parent");
    job("other", { type: "mail" });
    const child = job("child", { type: "mail", parentId: parent.id });
    rest(parent, child);
    shard.offer(2);
    expect(namesOf(shard.do(submit([])).placements)).toEqual(["other"]);
  });

  test("does so in families of any depth, with one place and one slot", () => {
    const { started, job, rest, succeed, running } = family({ maxRunning: 1 }, 1);
    const line = [job("0")];
    for (let depth = 1; depth <= 4; depth += 1) {
      const parent = line.at(-1) as JobRow;
      const child = job(String(depth), { parentId: parent.id });
      rest(parent, child);
      line.push(child);
    }
    expect(started).toEqual(["0", "1", "2", "3", "4"]);
    for (const one of line.toReversed()) {
      expect(running()).toBe(1);
      succeed(one);
    }
    expect(running()).toBe(0);
  });

  test("counts again as soon as it waits no more, and rests while it waits for another", () => {
    const { shard, job, rest, wake, running } = family({ maxRunning: 3 });
    const parent = job("parent");
    const one = job("one", { parentId: parent.id });
    const other = job("other", { parentId: parent.id });
    expect(running()).toBe(3);
    rest(parent, one);
    rest(parent, other);
    expect(running()).toBe(2);
    wake(parent, one);
    expect(running()).toBe(2);
    wake(parent, other);
    wake(parent, other);
    expect(running()).toBe(3);
    expect(shard.state.resting.size).toBe(0);
  });

  test("that ends, or is lost, is counted off once", () => {
    const { job, rest, succeed, running, started } = family({ maxRunning: 2 }, 2);
    const parent = job("parent");
    const child = job("child", { parentId: parent.id });
    rest(parent, child);
    succeed(parent);
    expect(running()).toBe(1);
    job("third");
    job("fourth");
    expect(started).toEqual(["parent", "child", "third"]);
    succeed(child);
    expect(running()).toBe(2);
  });

  test("leaves its place to jobs that are waited for, and to no others", () => {
    const { started, job, rest, running, succeed } = family({ maxRunning: 2 }, 2);
    const first = job("first");
    const second = job("second");
    const later = job("later", { parentId: first.id, runAt: 9_000 });
    job("other");
    rest(first, later);
    // The child cannot start yet: its place and its slot stay empty.
    expect(started).toEqual(["first", "second"]);
    expect(running()).toBe(1);
    const child = job("child", { parentId: second.id });
    rest(second, child);
    expect(started).toEqual(["first", "second", "child"]);
    succeed(child);
    succeed(second);
    expect(started).toEqual(["first", "second", "child", "other"]);
  });

  test("is refused what can never come: a child that is none, and one that waits for its own key", () => {
    const { job, rest } = family();
    const parent = job("parent", { concurrencyKey: "k" });
    expect(reasonOf(rest(parent, job("stranger")))).toBe("JOB_NOT_FOUND");
    const child = job("child", { parentId: parent.id, concurrencyKey: "k" });
    expect(reasonOf(rest(parent, child))).toBe("JOB_CONFLICT");
  });
});
