import { describe, expect, test } from "vitest";

import { SERVER } from "../../src/jobs/audit.ts";
import { JobFault } from "../../src/jobs/errors.ts";
import { SCRIPT, type Capability, type OrganizationId } from "../../src/jobs/ids.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import { cancel } from "../../src/shard/commands/cancel.ts";
import { configure } from "../../src/shard/commands/configure.ts";
import { wantNothing } from "../../src/shard/commands/command.ts";
import { retry } from "../../src/shard/commands/retry.ts";
import { submit } from "../../src/shard/commands/submit.ts";
import { statsOf } from "../../src/shard/stats.ts";
import { aSubmission } from "../support/job-row.ts";
import { endOf, failedWith, succeeded } from "./endings.ts";
import { acme, namesOf, Shard, someLimits } from "./harness.ts";

const typed = (type: string, ...names: string[]) =>
  names.map((name) => aSubmission({ name, type }));
const keyed = (name: string, facts: Partial<JobRow> = {}) =>
  aSubmission({ name, concurrencyKey: "k", ...facts });
const reasonOf = (outcome: unknown) => (outcome instanceof JobFault ? outcome.reason : "accepted");

describe("a limit of a type", () => {
  const limited = { types: new Map([["mail", 1]]), maxRunning: 3 };

  test("holds back its own jobs and no others", () => {
    const shard = new Shard(limited);
    shard.offer(5);
    const { placements } = shard.do(
      submit([...typed("mail", "m1", "m2"), ...typed("", "s1"), ...typed("other", "o1")]),
    );
    expect(namesOf(placements)).toEqual(["m1", "s1", "o1"]);
    const [mail] = placements;
    if (mail === undefined) throw new Error("nothing was placed");
    expect(namesOf(shard.do(endOf(mail, succeeded())).placements)).toEqual(["m2"]);
  });

  test("counts over all capabilities that versions of the type need", () => {
    const shard = new Shard(limited);
    const handler = "handler:mail" as Capability;
    shard.offer(5, [SCRIPT, handler]);
    const { placements } = shard.do(
      submit([
        ...typed("mail", "old"),
        aSubmission({ name: "new", type: "mail", capability: handler }),
      ]),
    );
    expect(namesOf(placements)).toEqual(["old"]);
  });

  test("leaves priority and first in, first out as they are across the lanes", () => {
    const shard = new Shard({ maxRunning: 10 });
    shard.do(
      submit([
        ...typed("a", "a1"),
        ...typed("b", "b1"),
        ...typed("a", "a2"),
        ...typed("", "s1"),
        aSubmission({ name: "urgent", type: "b", priority: 1 }),
      ]),
    );
    shard.offer(10);
    expect(namesOf(shard.do(submit([])).placements)).toEqual(["urgent", "a1", "b1", "a2", "s1"]);
  });
});

describe("jobs with one key", () => {
  test("wait in a line of their own: a million of them cost the lane one entry", () => {
    const shard = new Shard();
    shard.do(submit(Array.from({ length: 1_000 }, (_, index) => keyed(`${index}`))));
    const [lane] = shard.state.organization(acme)?.lanes() ?? [];
    expect(lane?.queue.size).toBe(1);
    expect(statsOf(0, shard.state).queued).toBe(1_000);
  });

  test("go by priority, also one that comes when another is the next already", () => {
    const shard = new Shard();
    shard.do(submit([keyed("first"), keyed("second"), keyed("urgent", { priority: 3 })]));
    shard.offer(9);
    const order: string[] = [];
    for (let { placements } = shard.do(submit([])); placements.length > 0;) {
      order.push(...namesOf(placements));
      const [running] = placements;
      if (running === undefined) break;
      ({ placements } = shard.do(endOf(running, succeeded())));
    }
    expect(order).toEqual(["urgent", "first", "second"]);
  });

  test("keep the place among the others of their organization that they came at", () => {
    const shard = new Shard({ maxRunning: 1 });
    shard.offer(1);
    const { placements } = shard.do(
      submit([keyed("k1"), keyed("k2"), aSubmission({ name: "plain" }), keyed("k3")]),
    );
    const order = namesOf(placements);
    for (let [running] = placements; running !== undefined;) {
      const next = shard.do(endOf(running, succeeded())).placements;
      order.push(...namesOf(next));
      [running] = next;
    }
    expect(order).toEqual(["k1", "k2", "plain", "k3"]);
  });

  test("of a closed type do not keep those of another type from the key", () => {
    const shard = new Shard({ types: new Map([["mail", 0]]) });
    shard.offer(5);
    const { placements } = shard.do(
      submit([keyed("paused", { type: "mail" }), keyed("other", { type: "print" })]),
    );
    expect(namesOf(placements)).toEqual(["other"]);
  });

  test("let the next one go when the first is cancelled before it ran", () => {
    const shard = new Shard();
    const first = keyed("first");
    shard.do(submit([first, keyed("second")]));
    shard.do(cancel(acme, first.job.id, { reason: "", by: SERVER }));
    shard.offer(1);
    expect(namesOf(shard.do(submit([])).placements)).toEqual(["second"]);
  });

  test("are refused with REJECT while any of them is active, in whatever state", () => {
    const shard = new Shard();
    const rejecting = () => keyed("late", { concurrencyPolicy: "REJECT" });
    const scheduled = keyed("scheduled", { runAt: 1_000_000 });
    shard.do(submit([scheduled]));
    expect(shard.do(submit([rejecting()])).outcome.map(reasonOf)).toEqual(["JOB_CONFLICT"]);
    shard.do(cancel(acme, scheduled.job.id, { reason: "", by: SERVER }));
    expect(shard.do(submit([rejecting(), rejecting()])).outcome.map(reasonOf)).toEqual([
      "accepted",
      "JOB_CONFLICT",
    ]);
  });
});

describe("a retry by hand", () => {
  const failedJob = (facts: Partial<JobRow>) => {
    const shard = new Shard({ maxQueued: 1 });
    shard.offer(1);
    const submission = aSubmission({ name: "failed", ...facts });
    const [placement] = shard.do(submit([submission])).placements;
    if (placement === undefined) throw new Error("nothing was placed");
    const { turn } = shard.do(endOf(placement, failedWith("script.threw")));
    shard.offer(0);
    return { shard, cold: { jobs: [...turn.changes().updated] }, id: submission.job.id };
  };

  test("counts against the queue quota", () => {
    const { shard, cold, id } = failedJob({});
    shard.do(submit([aSubmission()]));
    expect(reasonOf(shard.do(retry(acme, id, SERVER), cold).outcome)).toBe("QUEUE_FULL");
  });

  test("conflicts with an active job of its key, if its policy is REJECT", () => {
    const { shard, cold, id } = failedJob({ concurrencyKey: "k", concurrencyPolicy: "REJECT" });
    shard.admit(acme, { maxQueued: 9 });
    const rival = keyed("rival");
    shard.do(submit([rival]));
    expect(reasonOf(shard.do(retry(acme, id, SERVER), cold).outcome)).toBe("JOB_CONFLICT");
    shard.do(cancel(acme, rival.job.id, { reason: "", by: SERVER }));
    expect(shard.do(retry(acme, id, SERVER), cold).outcome).toMatchObject({ state: "QUEUED" });
  });
});

describe("limits that change", () => {
  const told = (shard: Shard, limits: Parameters<typeof someLimits>[0]) =>
    shard.do(configure([acme]), { organizations: [someLimits(limits)] });

  test("count at once: lower ones start nothing new and stop nothing, higher ones start more", () => {
    const shard = new Shard({ maxRunning: 2 });
    shard.offer(9);
    const first = shard.do(submit(typed("", "a", "b", "c", "d", "e"))).placements;
    expect(namesOf(first)).toEqual(["a", "b"]);
    expect(told(shard, { maxRunning: 1 }).turn.changedNothing).toBe(true);
    const [a] = first;
    if (a === undefined) throw new Error("nothing was placed");
    expect(shard.do(endOf(a, succeeded())).placements).toEqual([]);
    expect(namesOf(told(shard, { maxRunning: 3 }).placements)).toEqual(["c", "d"]);
  });

  test("of types count at once, both ways", () => {
    const shard = new Shard({ maxRunning: 9 });
    shard.offer(9);
    const { placements } = shard.do(submit(typed("mail", "a", "b")));
    told(shard, { maxRunning: 9, types: new Map([["mail", 1]]) });
    shard.do(submit(typed("mail", "c")));
    for (const one of placements) shard.do(endOf(one, succeeded()));
    shard.do(submit(typed("mail", "d")));
    expect(shard.state.organization(acme)?.running).toBe(1);
    expect(namesOf(told(shard, { maxRunning: 9 }).placements)).toEqual(["d"]);
  });

  test("are asked for only where the organization is loaded", () => {
    const wanted = wantNothing();
    const other = "other" as OrganizationId;
    configure([other, acme]).want(new Shard().state, wanted);
    expect(wanted.organizations).toEqual([acme]);
  });
});
