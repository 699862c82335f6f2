import { describe, expect, test } from "vitest";

import { SERVER } from "../../src/jobs/audit.ts";
import type { HookRow } from "../../src/jobs/hook.ts";
import type { HookId } from "../../src/jobs/ids.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import type { Threshold } from "../../src/jobs/threshold.ts";
import { cancel } from "../../src/shard/commands/cancel.ts";
import type { Command } from "../../src/shard/commands/command.ts";
import { pauseHook, resumeHook } from "../../src/shard/commands/hook.ts";
import { submit } from "../../src/shard/commands/submit.ts";
import { note } from "../../src/shard/note.ts";
import { WATCH_EVERY_MS } from "../../src/shard/watched.ts";
import { aHookRow, TO_JOB } from "../support/hook-row.ts";
import { aSubmission } from "../support/job-row.ts";
import { endOf, failedWith, succeeded } from "./endings.ts";
import { acme, Shard } from "./harness.ts";

const MINUTE = 60_000;
const NOTHING: Command<void> = { weight: 0, bytes: 0, want: () => {}, apply: () => {} };

const on = (facts: Partial<Threshold>, hook: Partial<HookRow> = {}): HookRow =>
  aHookRow({
    event: { kind: "threshold", metric: "QUEUED_JOBS", type: "", above: 1, forMs: 0, ...facts },
    ...hook,
  });

/** A shard with one hook on a threshold, and a clock that the test drives. */
class Watched {
  readonly shard: Shard;
  /** As the commits left it. */
  hook: HookRow;
  readonly #told: string[] = [];

  constructor(hook: HookRow, now = 1_000_000) {
    this.hook = hook;
    this.shard = new Shard({ hooks: [hook] });
    this.shard.now = now;
  }

  do(command: Command<unknown> = NOTHING): ReturnType<Shard["do"]>["placements"] {
    const { turn, placements } = this.shard.do(command);
    note(turn);
    const { hooks, deliveries } = turn.changes();
    this.hook = hooks.find(({ id }) => id === this.hook.id) ?? this.hook;
    for (const { event, body } of deliveries) {
      const { data } = JSON.parse(body) as { readonly data: { readonly value: number } };
      this.#told.push(`${event} ${data.value}`);
    }
    return placements;
  }

  /** What is told until so much time has passed, looking whenever the owner would. */
  after(ms: number): string[] {
    const until = this.shard.now + ms;
    while (this.shard.state.wakesAt() <= until) {
      this.shard.now = Math.max(this.shard.now, this.shard.state.wakesAt());
      this.do();
    }
    this.shard.now = until;
    return this.#told.splice(0);
  }

  add(count: number, facts: Partial<JobRow> = {}): void {
    this.do(submit(Array.from({ length: count }, () => aSubmission(facts))));
  }

  endAll(): void {
    const ids = [...(this.shard.state.organization(acme)?.jobs.keys() ?? [])];
    const stop = (id: JobRow["id"]) => cancel(acme, id, { reason: "", by: SERVER });
    this.do({ ...NOTHING, apply: (turn) => ids.map((id) => stop(id).apply(turn)) });
  }

  /** A job that runs, and ends so. */
  run(outcome: "succeeds" | "fails", facts: Partial<JobRow> = {}): void {
    this.shard.offer(1);
    const [placed] = this.do(submit([aSubmission(facts)]));
    if (placed === undefined) throw new Error("nothing was started");
    this.do(endOf(placed, outcome === "fails" ? failedWith("boom") : succeeded()));
  }
}

describe("a threshold", () => {
  test("is told once when it has been exceeded for long enough, and once when that is over", () => {
    const watched = new Watched(on({ above: 1, forMs: MINUTE }));
    expect(watched.after(MINUTE)).toEqual([]);
    watched.add(2);
    expect(watched.after(MINUTE - WATCH_EVERY_MS)).toEqual([]);
    expect(watched.hook).toMatchObject({ firing: false, aboveSince: expect.any(Number) as number });
    expect(watched.after(2 * WATCH_EVERY_MS)).toEqual(["threshold.above 2"]);
    expect(watched.after(10 * MINUTE)).toEqual([]);
    watched.endAll();
    expect(watched.after(WATCH_EVERY_MS)).toEqual(["threshold.below 0"]);
    expect(watched.hook).toMatchObject({ firing: false, aboveSince: null });
    expect(watched.after(10 * MINUTE)).toEqual([]);
  });

  test("that is over before its time is told by nobody", () => {
    const watched = new Watched(on({ above: 1, forMs: MINUTE }));
    watched.add(2);
    expect(watched.after(MINUTE / 2)).toEqual([]);
    watched.endAll();
    expect(watched.after(MINUTE)).toEqual([]);
    watched.add(2);
    expect(watched.after(MINUTE / 2)).toEqual([]);
  });

  test("is neither forgotten nor told again by a new owner", () => {
    const first = new Watched(on({ above: 1, forMs: MINUTE }));
    first.add(2);
    first.after(MINUTE / 2);
    const second = new Watched(first.hook, first.shard.now);
    second.add(2);
    expect(second.after(MINUTE / 2 + WATCH_EVERY_MS)).toEqual(["threshold.above 2"]);
    const third = new Watched(second.hook, second.shard.now);
    third.add(2);
    expect(third.after(MINUTE)).toEqual([]);
    const fourth = new Watched(third.hook, third.shard.now);
    expect(fourth.after(WATCH_EVERY_MS)).toEqual(["threshold.below 0"]);
  });

  test("is not looked at while the hook is paused, and counts anew after", () => {
    const watched = new Watched(on({ above: 1, forMs: MINUTE }));
    watched.add(2);
    watched.after(MINUTE / 2);
    watched.do(pauseHook(watched.hook, "", SERVER));
    expect(watched.shard.state.wakesAt()).toBe(Number.POSITIVE_INFINITY);
    watched.shard.now += 10 * MINUTE;
    watched.do(resumeHook(watched.hook, SERVER));
    expect(watched.after(MINUTE - WATCH_EVERY_MS)).toEqual([]);
    expect(watched.after(2 * WATCH_EVERY_MS)).toEqual(["threshold.above 2"]);
  });
});

describe("a threshold on", () => {
  test("the age of the queue goes by the oldest job that waits", () => {
    const watched = new Watched(on({ metric: "QUEUE_AGE_SECONDS", above: 60 }));
    watched.add(1);
    expect(watched.after(MINUTE)).toEqual([]);
    watched.add(1);
    expect(watched.after(2 * WATCH_EVERY_MS)).toEqual([
      expect.stringMatching(/^threshold.above 6\d/),
    ]);
  });

  test("running jobs counts those, of its type alone", () => {
    const watched = new Watched(on({ metric: "RUNNING_JOBS", type: "mail", above: 0 }));
    watched.shard.offer(3);
    watched.add(2, { type: "fax" });
    expect(watched.after(WATCH_EVERY_MS)).toEqual([]);
    watched.add(1, { type: "mail" });
    expect(watched.after(WATCH_EVERY_MS)).toEqual(["threshold.above 1"]);
  });

  test("failures goes by what ended within five minutes", () => {
    const watched = new Watched(on({ metric: "FAILURE_RATIO", above: 0.5 }));
    watched.run("succeeds");
    watched.run("fails");
    expect(watched.after(WATCH_EVERY_MS)).toEqual([]);
    watched.run("fails");
    expect(watched.after(WATCH_EVERY_MS)).toEqual([expect.stringMatching(/^threshold.above 0.66/)]);
    expect(watched.after(4 * MINUTE)).toEqual([]);
    expect(watched.after(2 * MINUTE)).toEqual(["threshold.below 0"]);
  });

  test("failures is not over for a new owner until it has seen for five minutes what ends", () => {
    const hook = on({ metric: "FAILURE_RATIO", above: 0.5 }, { aboveSince: 1, firing: true });
    const watched = new Watched(hook);
    watched.run("succeeds");
    expect(watched.after(5 * MINUTE - WATCH_EVERY_MS)).toEqual([]);
    expect(watched.after(2 * WATCH_EVERY_MS)).toEqual([
      expect.stringMatching(/^threshold.below 0/),
    ]);
  });
});

describe("a threshold whose hook submits jobs", () => {
  const hookChain = ["01890000-0000-7000-8000-ffffffffffff" as HookId];
  const toJob = { target: TO_JOB };

  test.each(["QUEUED_JOBS", "QUEUE_AGE_SECONDS"] as const)("%s: counts none of hooks", (metric) => {
    const watched = new Watched(on({ metric, above: 0 }, toJob));
    watched.add(1, { hookChain });
    expect(watched.after(MINUTE)).toEqual([]);
    watched.add(1);
    watched.add(1, { hookChain });
    const told = watched.after(2 * WATCH_EVERY_MS);
    expect(told).toEqual([expect.stringMatching(/^threshold.above (1|[5-9]|5\..*)$/)]);
  });

  test("RUNNING_JOBS and FAILURE_RATIO: count none of hooks", () => {
    const running = new Watched(on({ metric: "RUNNING_JOBS", above: 0 }, toJob));
    running.shard.offer(1);
    running.add(1, { hookChain });
    expect(running.after(MINUTE)).toEqual([]);
    const failing = new Watched(on({ metric: "FAILURE_RATIO", above: 0 }, toJob));
    failing.run("fails", { hookChain });
    expect(failing.after(MINUTE)).toEqual([]);
    failing.run("fails");
    expect(failing.after(MINUTE)).toEqual(["threshold.above 1"]);
  });

  test("one that is sent to a URL counts them all", () => {
    const watched = new Watched(on({ above: 0 }));
    watched.add(1, { hookChain });
    expect(watched.after(WATCH_EVERY_MS)).toEqual(["threshold.above 1"]);
  });
});
