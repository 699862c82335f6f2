import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { SERVER } from "../../src/jobs/audit.ts";
import { cancel } from "../../src/shard/commands/cancel.ts";
import { loseRunner } from "../../src/shard/commands/clockwork.ts";
import { retry } from "../../src/shard/commands/retry.ts";
import { submit } from "../../src/shard/commands/submit.ts";
import { censusOf, endingsOf } from "../../src/shard/census.ts";
import type { Organization } from "../../src/shard/organization.ts";
import { QueuedTimes } from "../../src/shard/queued-times.ts";
import { aSubmission } from "../support/job-row.ts";
import { endOf, failedWith, succeeded } from "./endings.ts";
import { acme, RUNNER, Shard } from "./harness.ts";

const MINUTE = 60_000;

const organizationOf = (shard: Shard): Organization => {
  const organization = shard.state.organization(acme);
  if (organization === undefined) throw new Error("nobody");
  return organization;
};

/** The same by looking at every job. */
const counted = ({ jobs }: Organization, type: string | null) => {
  const rows = [...jobs.values()]
    .map(({ row }) => row)
    .filter((row) => type === null || row.type === type);
  const states = new Map(
    [...Map.groupBy(rows, ({ state }) => state)].map(([state, { length }]) => [state, length]),
  );
  const queued = rows.filter(({ state }) => state === "QUEUED");
  const oldest = queued.reduce((at, { queuedAt }) => Math.min(at, queuedAt ?? 0), Infinity);
  return { states, oldestQueuedAt: queued.length === 0 ? null : Math.floor(oldest / 100) * 100 };
};

const STEP = fc.oneof(
  fc.record({ do: fc.constant("submit"), type: fc.constantFrom("", "a", "b"), at: fc.nat(3) }),
  fc.record({ do: fc.constantFrom("succeed", "fail", "cancel", "retry"), at: fc.nat(9) }),
  fc.record({ do: fc.constantFrom("lose", "offer", "wait"), at: fc.nat(900) }),
);

describe("the census", () => {
  test("says what counting all jobs would say, whatever happened to them", () => {
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 60 }), (steps) => {
        const shard = new Shard({ maxRunning: 3 });
        const running: Parameters<typeof endOf>[0][] = [];
        let ended = 0;
        let failed = 0;
        const doing = (command: Parameters<Shard["do"]>[0], cold = {}): void => {
          const { placements, turn } = shard.do(command, cold);
          running.push(...placements);
          for (const [{ row }] of turn.touched()) {
            if (row.endedAt === null) continue;
            ended += 1;
            if (row.state === "FAILED") failed += 1;
          }
        };
        for (const step of steps) {
          const job = [...organizationOf(shard).jobs.values()][step.at];
          const attempt = running[step.at % Math.max(1, running.length)];
          if (step.do === "submit") {
            const type = "type" in step ? step.type : "";
            const concurrencyKey = step.at === 3 ? "key" : "";
            doing(submit([aSubmission({ type, priority: step.at, concurrencyKey })]));
          } else if (step.do === "offer") shard.offer(step.at % 4);
          else if (step.do === "wait") shard.now += step.at;
          else if (step.do === "lose") doing(loseRunner(RUNNER));
          else if (step.do === "cancel" && job !== undefined) {
            doing(cancel(acme, job.row.id, { reason: "", by: SERVER }));
          } else if (step.do === "succeed" && attempt !== undefined) {
            doing(endOf(attempt, succeeded()));
          } else if (step.do === "fail" && attempt !== undefined) {
            doing(endOf(attempt, failedWith("broken")));
          } else if (step.do === "retry" && attempt?.job.row.state === "FAILED") {
            const { row } = attempt.job;
            if (shard.row(row) === undefined) doing(retry(acme, row.id, SERVER), { jobs: [row] });
          }
        }
        const organization = organizationOf(shard);
        for (const type of [null, "", "a", "b", "unknown"]) {
          const { states, oldestQueuedAt } = censusOf(organization, type);
          expect({ states, oldestQueuedAt }).toEqual(counted(organization, type));
        }
        expect(endingsOf(organization, null, shard.now)).toEqual({ ended, failed });
      }),
    );
  });

  test("forgets endings after five minutes", () => {
    const shard = new Shard({ maxRunning: 1 });
    shard.now = 10 * MINUTE;
    shard.offer(1);
    const { placements } = shard.do(submit([aSubmission({ type: "a" })]));
    for (const placement of placements) shard.do(endOf(placement, failedWith("broken")));
    const organization = organizationOf(shard);
    const failed = { ended: 1, failed: 1 };
    expect(endingsOf(organization, "a", shard.now)).toEqual(failed);
    expect(endingsOf(organization, "a", shard.now + 5 * MINUTE - 10_000)).toEqual(failed);
    expect(endingsOf(organization, "a", shard.now + 5 * MINUTE)).toEqual({ ended: 0, failed: 0 });
  });

  test("holds no more types without jobs than it may, however many there were", () => {
    const shard = new Shard();
    for (let index = 0; index < 3_000; index += 1) {
      const submission = aSubmission({ type: `type-${index}` });
      shard.do(submit([submission]));
      shard.do(cancel(acme, submission.job.id, { reason: "", by: SERVER }));
    }
    const organization = organizationOf(shard);
    expect(endingsOf(organization, null, shard.now).ended).toBe(3_000);
    expect(endingsOf(organization, "type-5", shard.now).ended).toBe(1);
    expect(endingsOf(organization, "type-2999", shard.now).ended).toBe(0);
  });

  test("keeps the ages of a long queue in few entries", () => {
    const times = new QueuedTimes();
    for (let at = 0; at < 100_000; at += 1) times.enter(at);
    expect(times.size).toBe(1_000);
    for (let at = 0; at < 50_000; at += 1) times.leave(at);
    expect(times).toMatchObject({ size: 500 });
    expect(times.oldest()).toBe(50_000);
  });
});
