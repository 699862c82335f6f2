import { describe, expect, test } from "vitest";

import { SERVER } from "../../src/jobs/audit.ts";
import { JobFault } from "../../src/jobs/errors.ts";
import type { HookRow } from "../../src/jobs/hook.ts";
import { expire } from "../../src/jobs/transitions.ts";
import { aJobRow, aSubmission } from "../support/job-row.ts";
import { LIMITS } from "../../src/jobs/limits.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import { cancel } from "../../src/shard/commands/cancel.ts";
import type { Command } from "../../src/shard/commands/command.ts";
import {
  createHook,
  deleteHook,
  pauseHook,
  resumeHook,
  testHook,
  updateHook,
} from "../../src/shard/commands/hook.ts";
import { retry } from "../../src/shard/commands/retry.ts";
import { submit } from "../../src/shard/commands/submit.ts";
import { note } from "../../src/shard/note.ts";
import { hookOutcome } from "../../src/shard/notices/hook-health.ts";
import type { ShardChanges } from "../../src/store/store.ts";
import { aHookRow, onJobs, TO_JOB } from "../support/hook-row.ts";
import { acme, Shard } from "./harness.ts";

/** What a turn with this command leaves to be written. */
const changesOf = (shard: Shard, command: Command<unknown>): ShardChanges => {
  const { turn } = shard.do(command);
  note(turn);
  return turn.changes();
};

const submitOne = (shard: Shard, facts: Partial<JobRow> = {}): ShardChanges =>
  changesOf(shard, submit([aSubmission(facts)]));

const toldBy = ({ deliveries }: ShardChanges): string[] =>
  deliveries.map(({ event, hookId }) => `${event} ${hookId}`);

const endAll = (shard: Shard): ShardChanges =>
  changesOf(shard, {
    weight: 1,
    bytes: 0,
    want: () => {},
    apply: (turn) => {
      const jobs = [...(shard.state.organization(acme)?.jobs.keys() ?? [])];
      for (const id of jobs) cancel(acme, id, { reason: "", by: SERVER }).apply(turn);
    },
  });

const reasonOf = (outcome: unknown): string =>
  outcome instanceof JobFault ? outcome.reason : "no fault";

describe("a hook is owed a notice", () => {
  test("of a job that comes into one of its states, in the same commit, and of no other", () => {
    const queued = aHookRow({ event: onJobs({ states: ["QUEUED"] }) });
    const ended = aHookRow();
    const shard = new Shard({ hooks: [queued, ended] });
    const begun = submitOne(shard, { labels: { team: "blue" } });
    expect(toldBy(begun)).toEqual([`job.queued ${queued.id}`]);
    expect(begun.deliveries[0]).toMatchObject({
      state: "PENDING",
      jobId: begun.inserted[0]?.id,
      attempt: 0,
      url: "https://hooks.example/in",
      origin: "https://hooks.example",
      nextTryAt: shard.now,
      hookChain: [],
    });
    expect(JSON.parse(begun.deliveries[0]?.body ?? "")).toMatchObject({
      type: "job.queued",
      data: { id: begun.inserted[0]?.id, state: "JOB_STATE_QUEUED", labels: { team: "blue" } },
    });
    expect(toldBy(endAll(shard))).toEqual([`job.cancelled ${ended.id}`]);
  });

  test.each<[string, Parameters<typeof onJobs>[0], Partial<JobRow>, boolean]>([
    ["any type, if none is named", {}, { type: "mail" }, true],
    ["a type that is named", { types: ["mail", "fax"] }, { type: "fax" }, true],
    ["no type that is not", { types: ["mail"] }, { type: "fax" }, false],
    ["no script, if a type is named", { types: ["mail"] }, {}, false],
    ["labels that are all there", { labels: { a: "1" } }, { labels: { a: "1", b: "2" } }, true],
    ["no job that lacks one", { labels: { a: "1", c: "3" } }, { labels: { a: "1" } }, false],
    ["no other value", { labels: { a: "1" } }, { labels: { a: "2" } }, false],
  ])("%s", (_, filter, job, told) => {
    const hook = aHookRow({ event: onJobs({ states: ["QUEUED"], ...filter }) });
    expect(submitOne(new Shard({ hooks: [hook] }), job).deliveries).toHaveLength(told ? 1 : 0);
  });

  test("nothing for states that a job only passes, nor for a change that is none of state", () => {
    const states = ["QUEUED", "RUNNING"] as const;
    const shard = new Shard({ hooks: [aHookRow({ event: onJobs({ states }) })] });
    shard.offer(1);
    expect(submitOne(shard).deliveries.map(({ event }) => event)).toEqual(["job.running"]);
    const asked = endAll(shard);
    expect(asked.updated).toMatchObject([{ state: "RUNNING", cancelRequestedAt: shard.now }]);
    expect(asked.deliveries).toEqual([]);
  });

  test("of a job that is retried, and ends again in the same commit", () => {
    const hook = aHookRow();
    const shard = new Shard({ hooks: [hook] });
    const failed = aJobRow({ state: "FAILED", attempt: 1, endedAt: 5 });
    const { turn } = shard.do(
      {
        ...{ weight: 1, bytes: 0, want: () => {} },
        apply: (turn) => {
          retry(acme, failed.id, SERVER).apply(turn);
          const job = turn.state.find(acme, failed.id);
          if (job !== undefined) turn.change(job, expire(job.row, turn.now));
        },
      },
      { jobs: [failed] },
    );
    note(turn);
    expect(toldBy(turn.changes())).toEqual([`job.failed ${hook.id}`]);
  });

  test("nothing while it is paused, and nothing of what happened then", () => {
    const hook = aHookRow({ event: onJobs({ states: ["QUEUED"] }) });
    const shard = new Shard({ hooks: [hook] });
    const paused = changesOf(shard, pauseHook(hook, "noise", SERVER));
    expect(paused.hooks).toMatchObject([{ pausedAt: shard.now, pauseReason: "noise" }]);
    expect(paused.audit).toMatchObject([{ action: "hook.pause", subject: hook.id }]);
    expect(changesOf(shard, pauseHook(hook, "again", SERVER)).hooks).toEqual([]);
    expect(submitOne(shard).deliveries).toEqual([]);
    expect(changesOf(shard, resumeHook(hook, SERVER)).deliveries).toEqual([]);
    expect(toldBy(submitOne(shard))).toEqual([`job.queued ${hook.id}`]);
  });

  test("a test, also while it is paused", () => {
    const hook = aHookRow({ name: "pager", pausedAt: 5, target: TO_JOB });
    const { outcome, turn } = new Shard({ hooks: [hook] }).do(testHook(hook, SERVER));
    expect(turn.changes().deliveries).toEqual([outcome]);
    expect(outcome).toMatchObject({ event: "hook.test", jobType: "follow-up", origin: "job" });
    expect(turn.changes().audit).toMatchObject([{ action: "hook.test" }]);
  });
});

describe("a loop", () => {
  const states = ["QUEUED"] as const;
  const chain = Array.from({ length: LIMITS.hookChain }, () => aHookRow().id);

  test("ends at the hook that it came of, which says so", () => {
    const [own, other] = [aHookRow({ event: onJobs({ states }) }), aHookRow()];
    const listening = { ...other, event: onJobs({ states }) };
    const shard = new Shard({ hooks: [own, listening] });
    const changes = submitOne(shard, { hookChain: [own.id, chain[0] ?? own.id] });
    expect(toldBy(changes)).toEqual([`job.queued ${listening.id}`]);
    expect(changes.deliveries[0]?.hookChain).toEqual([own.id, chain[0]]);
    const job = changes.inserted[0]?.id;
    expect(changes.hooks).toMatchObject([
      { id: own.id, loopsStopped: 1, loopReason: expect.stringContaining(job ?? "?") as string },
    ]);
    expect(submitOne(shard, { hookChain: [own.id] }).hooks).toMatchObject([{ loopsStopped: 2 }]);
  });

  test("of many hooks ends where the chain is too long; whoever submits nothing is told", () => {
    const [url, job] = [aHookRow(), aHookRow({ target: TO_JOB })];
    const hooks = [url, job].map((hook) => ({ ...hook, event: onJobs({ states }) }));
    const changes = submitOne(new Shard({ hooks }), { hookChain: chain });
    expect(toldBy(changes)).toEqual([`job.queued ${url.id}`]);
    expect(changes.hooks).toMatchObject([{ id: job.id, loopsStopped: 1 }]);
    const shorter = submitOne(new Shard({ hooks }), { hookChain: chain.slice(1) });
    expect(shorter.deliveries).toHaveLength(2);
  });

  test("is not left by a job that submits a job", () => {
    const shard = new Shard();
    shard.offer(1);
    const parent = submitOne(shard, { hookChain: chain }).inserted[0];
    const child = submitOne(shard, { parentId: parent?.id ?? "", hookChain: [] }).inserted[0];
    expect(child?.hookChain).toEqual(chain);
  });
});

describe("a hook that keeps failing", () => {
  const failing = (
    failures: number,
    delivered = false,
    pausedAt: number | null = null,
  ): ShardChanges => {
    const hook = aHookRow({ failures, pausedAt });
    const shard = new Shard({ hooks: [hook] });
    const { turn } = shard.do(testHook(hook, SERVER));
    const [delivery] = turn.changes().deliveries;
    if (delivery === undefined) throw new Error("nothing was owed");
    return changesOf(shard, {
      weight: 1,
      bytes: 0,
      want: () => {},
      apply: (next) => hookOutcome(next, delivery, delivered),
    });
  };

  test("counts, begins anew after a success, and is paused in the end, by the server", () => {
    expect(failing(3).hooks).toMatchObject([{ failures: 4, pausedAt: null }]);
    expect(failing(3, true).hooks).toMatchObject([{ failures: 0 }]);
    expect(failing(0, true).hooks).toEqual([]);
    const last = failing(LIMITS.hookFailures - 1);
    expect(last.hooks).toMatchObject([
      {
        failures: LIMITS.hookFailures,
        pausedAt: 1_000,
        pauseReason: expect.stringContaining("20") as string,
      },
    ]);
    expect(last.audit).toMatchObject([{ action: "hook.pause", actor: SERVER }]);
    expect(failing(LIMITS.hookFailures, false, 5).audit).toEqual([]);
  });
});

describe("changing a hook by hand", () => {
  const facts: Pick<HookRow, "name" | "event" | "target"> = {
    name: "new",
    event: onJobs({ states: ["QUEUED"] }),
    target: TO_JOB,
  };

  test("an update counts at once, raises the version, and refuses an older one", () => {
    const hook = aHookRow();
    const shard = new Shard({ hooks: [hook] });
    expect(changesOf(shard, updateHook(hook, 1, facts, SERVER))).toMatchObject({
      hooks: [{ ...facts, version: 2, changedAt: shard.now }],
      audit: [{ action: "hook.update" }],
    });
    expect(submitOne(shard).deliveries).toMatchObject([{ jobType: "follow-up", origin: "job" }]);
    expect(reasonOf(shard.do(updateHook(hook, 1, facts, SERVER)).outcome)).toBe("HOOK_CHANGED");
  });

  test("a deleted hook hears nothing more, and nobody knows it", () => {
    const hook = aHookRow({ event: facts.event });
    const shard = new Shard({ hooks: [hook] });
    expect(changesOf(shard, deleteHook(hook, SERVER))).toMatchObject({
      removedHooks: [{ organizationId: acme, id: hook.id }],
      audit: [{ action: "hook.delete" }],
    });
    expect(submitOne(shard).deliveries).toEqual([]);
    for (const command of [
      updateHook(hook, 0, facts, SERVER),
      pauseHook(hook, "", SERVER),
      resumeHook(hook, SERVER),
      deleteHook(hook, SERVER),
      testHook(hook, SERVER),
    ]) {
      expect(reasonOf(shard.do<unknown>(command).outcome)).toBe("HOOK_NOT_FOUND");
    }
  });

  test("there are only so many, and new limits leave them as they are", () => {
    const hooks = Array.from({ length: LIMITS.hooks - 1 }, (_, n) =>
      aHookRow({ event: onJobs({ types: [`type-${n}`] }) }),
    );
    const shard = new Shard({ hooks });
    shard.admit(acme, { hooks: [] });
    expect(reasonOf(shard.do(createHook(aHookRow(), null, SERVER)).outcome)).toBe("no fault");
    expect(reasonOf(shard.do(createHook(aHookRow(), null, SERVER)).outcome)).toBe("TOO_MANY_HOOKS");
  });
});

test("of a hundred hooks and a thousand jobs in one turn each is told of its own", () => {
  const hooks = Array.from({ length: LIMITS.hooks }, (_, n) =>
    aHookRow({ event: onJobs({ states: ["QUEUED"], types: [`type-${n}`], labels: { a: "1" } }) }),
  );
  const shard = new Shard({ hooks, maxQueued: 10_000 });
  const jobs = Array.from({ length: 1_000 }, (_, n) =>
    aSubmission({ type: `type-${n % 200}`, labels: { a: "1" } }),
  );
  expect(changesOf(shard, submit(jobs)).deliveries).toHaveLength(500);
});
