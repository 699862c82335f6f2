import { describe, expect, test } from "vitest";

import { DEFERRED_ACTION, RELEASE_JOB } from "../../src/jobs/attribute.ts";
import { type Actor, SERVER } from "../../src/jobs/audit.ts";
import { JobFault } from "../../src/jobs/errors.ts";
import type { JobId, OrganizationId, UserId } from "../../src/jobs/ids.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import { LIMITS } from "../../src/jobs/limits.ts";
import type { Submission } from "../../src/jobs/submission.ts";
import {
  type NewAttribute,
  removeAttribute,
  setAttribute,
} from "../../src/shard/commands/attributes.ts";
import { cancel } from "../../src/shard/commands/cancel.ts";
import { wakeUp } from "../../src/shard/commands/clockwork.ts";
import type { Command } from "../../src/shard/commands/command.ts";
import { submit } from "../../src/shard/commands/submit.ts";
import { aJobId, aSubmission } from "../support/job-row.ts";
import { acme, namesOf, Shard } from "./harness.ts";

const ann = "ann" as UserId;
const bob = "bob" as UserId;
const boss: Actor = { userId: bob, tokenId: "t", address: "10.0.0.1" };

const deferred = (facts: Partial<JobRow> = {}): Submission => ({
  ...aSubmission({ runAs: ann, ...facts }),
  deferred: true,
});

const releasing = (id: JobId, userId = ann, organizationId = acme): NewAttribute => ({
  organizationId,
  userId,
  name: RELEASE_JOB,
  value: id,
  kind: "DYNAMIC",
});

const fact = (name: string, value: string): NewAttribute => ({
  organizationId: acme,
  userId: ann,
  name,
  value,
  kind: "STATIC",
});

const reasonOf = (outcome: unknown): string =>
  outcome instanceof JobFault ? outcome.reason : "no fault";

/** Commands of one batch: they share a turn. */
const together = (...commands: readonly Command<unknown>[]): Command<unknown[]> => ({
  weight: 1,
  bytes: 0,
  want: () => {},
  apply: (turn) => commands.map((command) => command.apply(turn)),
});

const actionsOf = (audit: readonly { readonly action: string }[]): string[] =>
  audit.map(({ action }) => action);

describe("a deferred job", () => {
  test("is HELD and given to nobody, until its release moves it on and leaves no attribute", () => {
    const shard = new Shard();
    shard.offer(1);
    const submission = deferred({ name: "payout" });
    expect(shard.do(submit([submission])).placements).toEqual([]);
    expect(shard.row(submission.job)?.state).toBe("HELD");

    const { outcome, turn, placements } = shard.do(
      setAttribute(releasing(submission.job.id), boss),
    );
    expect(outcome).toMatchObject({ released: { id: submission.job.id } });
    expect(namesOf(placements)).toEqual(["payout"]);
    const changes = turn.changes();
    expect(changes.updated).toHaveLength(1);
    expect(changes.attributes).toEqual([]);
    expect(actionsOf(changes.audit)).toEqual(["user.set-attribute", "job.release"]);
    expect(changes.audit[1]).toMatchObject({ actor: boss, subject: submission.job.id });
  });

  test("that is released before it is submitted starts at once and uses the attribute up", () => {
    const shard = new Shard();
    shard.offer(1);
    const submission = deferred();
    const set = shard.do(setAttribute(releasing(submission.job.id), boss));
    expect(set.outcome).toEqual({ released: null });
    const { attributes } = set.turn.changes();
    expect(attributes).toHaveLength(1);

    const { turn, placements } = shard.do(submit([submission]), { attributes });
    expect(placements).toHaveLength(1);
    expect(turn.changes()).toMatchObject({ attributes: [], removedAttributes: attributes });
  });

  test.each([
    [
      "release first",
      (job: Submission) => [setAttribute(releasing(job.job.id), boss), submit([job])],
    ],
    ["job first", (job: Submission) => [submit([job]), setAttribute(releasing(job.job.id), boss)]],
  ])(
    "and its release in one batch, %s: the job goes on, and nothing is written of the attribute",
    (_, commands) => {
      const shard = new Shard();
      const submission = deferred();
      const { turn } = shard.do(together(...commands(submission)));
      expect(shard.row(submission.job)?.state).toBe("QUEUED");
      const { inserted, attributes, removedAttributes } = turn.changes();
      expect(inserted).toMatchObject([{ state: "QUEUED" }]);
      expect({ attributes, removedAttributes }).toEqual({ attributes: [], removedAttributes: [] });
    },
  );

  test("with a run_at ahead becomes SCHEDULED by its release", () => {
    const shard = new Shard();
    const submission = deferred({ runAt: 9_000 });
    shard.do(submit([submission]));
    shard.do(setAttribute(releasing(submission.job.id), boss));
    expect(shard.row(submission.job)).toMatchObject({ state: "SCHEDULED", runAt: 9_000 });
    shard.now = 9_000;
    shard.do(wakeUp(1));
    expect(shard.row(submission.job)?.state).toBe("QUEUED");
  });

  test("fails when its total timeout passes, and can be cancelled; neither can be released then", () => {
    const shard = new Shard();
    const [late, unwanted] = [deferred({ deadlineAt: 2_000 }), deferred()];
    shard.do(submit([late, unwanted]));
    shard.now = 2_000;
    const expired = shard.do(wakeUp(1)).turn.changes().updated;
    expect(expired).toMatchObject([{ state: "FAILED", error: { code: "timeout.total" } }]);
    const cancelled = shard
      .do(cancel(acme, unwanted.job.id, { reason: "", by: SERVER }))
      .turn.changes().updated;
    expect(cancelled).toMatchObject([{ state: "CANCELLED" }]);
    for (const row of [...expired, ...cancelled]) {
      const { outcome, turn } = shard.do(setAttribute(releasing(row.id), boss), { jobs: [row] });
      expect(reasonOf(outcome)).toBe("JOB_NOT_HELD");
      expect(turn.changedNothing).toBe(true);
    }
  });

  test("counts for the queue quota and holds its key", () => {
    const shard = new Shard({ maxQueued: 2 });
    const key = { concurrencyKey: "k", concurrencyPolicy: "REJECT" as const };
    const { outcome } = shard.do(submit([deferred(key), deferred(key), deferred(), deferred()]));
    expect(outcome.map(reasonOf)).toEqual(["no fault", "JOB_CONFLICT", "no fault", "QUEUE_FULL"]);
  });

  test("whose submission is refused leaves its release for the next try", () => {
    const shard = new Shard({ maxQueued: 0 });
    const submission = deferred();
    const { turn } = shard.do(setAttribute(releasing(submission.job.id), boss));
    const { attributes } = turn.changes();
    const refused = shard.do(submit([submission]), { attributes });
    expect(refused.outcome.map(reasonOf)).toEqual(["QUEUE_FULL"]);
    expect(refused.turn.changedNothing).toBe(true);
  });
});

describe("a release", () => {
  test("is refused for a job of another user, for one that is not held, and the second time", () => {
    const shard = new Shard();
    const [held, plain] = [deferred(), aSubmission({ runAs: ann })];
    shard.do(submit([held, plain]));
    const refusedFor = (attribute: NewAttribute): string => {
      const { outcome, turn } = shard.do(setAttribute(attribute, boss));
      expect(turn.changedNothing).toBe(true);
      return reasonOf(outcome);
    };
    expect(refusedFor(releasing(held.job.id, bob))).toBe("JOB_NOT_HELD");
    expect(shard.row(held.job)?.state).toBe("HELD");
    expect(refusedFor(releasing(plain.job.id))).toBe("JOB_NOT_HELD");
    shard.do(setAttribute(releasing(held.job.id), boss));
    expect(refusedFor(releasing(held.job.id))).toBe("JOB_NOT_HELD");
  });

  test("that came first for another user releases nothing", () => {
    const shard = new Shard();
    const submission = deferred();
    const { turn } = shard.do(setAttribute(releasing(submission.job.id, bob), boss));
    const { attributes } = turn.changes();
    const submitted = shard.do(submit([submission]), { attributes });
    expect(shard.row(submission.job)?.state).toBe("HELD");
    expect(submitted.turn.changes().removedAttributes).toEqual([]);
  });

  test("is for one organization: a job of the same id in another stays HELD", () => {
    const shard = new Shard();
    const globex = "globex" as OrganizationId;
    shard.admit(globex);
    const id = aJobId();
    const [ours, theirs] = [deferred({ id }), deferred({ id, organizationId: globex })];
    shard.do(submit([ours, theirs]));
    shard.do(setAttribute(releasing(id), boss));
    expect(shard.row(ours.job)?.state).toBe("QUEUED");
    expect(shard.row(theirs.job)?.state).toBe("HELD");
    const early = aJobId();
    const { turn } = shard.do(setAttribute(releasing(early, ann, globex), boss));
    const [here, there] = [
      deferred({ id: early }),
      deferred({ id: early, organizationId: globex }),
    ];
    shard.do(submit([here, there]), { attributes: turn.changes().attributes });
    expect(shard.row(here.job)?.state).toBe("HELD");
    expect(shard.row(there.job)?.state).toBe("QUEUED");
  });

  test("uses up an attribute that was left from before the job was held", () => {
    const shard = new Shard();
    const submission = deferred();
    shard.do(submit([submission]));
    const left = { ...releasing(submission.job.id), createdAt: 1 };
    const { turn } = shard.do(setAttribute(releasing(submission.job.id), boss), {
      attributes: [left],
    });
    expect(turn.changes()).toMatchObject({ attributes: [], removedAttributes: [left] });
    expect(shard.row(submission.job)?.state).toBe("QUEUED");
  });
});

describe("an attribute", () => {
  test("that is there already is set again without a change; removing what is not there changes nothing", () => {
    const shard = new Shard();
    const attributes = [{ ...fact("team", "blue"), createdAt: 1 }];
    const again = shard.do(setAttribute(fact("team", "blue"), boss), { attributes });
    expect(again.outcome).toEqual({ released: null });
    expect(again.turn.changedNothing).toBe(true);
    const absent = shard.do(removeAttribute(fact("team", "red"), boss), { attributes });
    expect(absent.outcome).toBe(false);
    expect(absent.turn.changedNothing).toBe(true);
    const removed = shard.do(removeAttribute(fact("team", "blue"), boss), { attributes });
    expect(removed.outcome).toBe(true);
    expect(actionsOf(removed.turn.changes().audit)).toEqual(["user.remove-attribute"]);
  });

  test("that is taken away and given anew in one batch is the new one", () => {
    const old = { ...fact("team", "blue"), createdAt: 1 };
    const give = setAttribute({ ...fact("team", "blue"), kind: "DYNAMIC" }, boss);
    const take = removeAttribute(fact("team", "blue"), boss);
    const { turn } = new Shard().do(together(take, give), { attributes: [old] });
    expect(turn.changes()).toMatchObject({
      attributes: [{ kind: "DYNAMIC" }],
      removedAttributes: [old],
    });
  });

  test("may have several values, but deferred-action has one", () => {
    const shard = new Shard();
    const yes = { ...fact(DEFERRED_ACTION, "true"), createdAt: 1 };
    const { turn } = shard.do(setAttribute(fact(DEFERRED_ACTION, "false"), boss), {
      attributes: [yes],
    });
    expect(turn.changes()).toMatchObject({
      attributes: [{ value: "false" }],
      removedAttributes: [yes],
    });
    const both = together(
      setAttribute(fact("team", "blue"), boss),
      setAttribute(fact("team", "red"), boss),
    );
    expect(shard.do(both).turn.changes().attributes).toHaveLength(2);
  });

  test("setting deferred-action to false does not release what is held", () => {
    const shard = new Shard();
    const submission = deferred();
    shard.do(submit([submission]));
    shard.do(setAttribute(fact(DEFERRED_ACTION, "false"), boss));
    expect(shard.row(submission.job)?.state).toBe("HELD");
  });

  test("is refused when the user has 1,000, also within one batch; a release of a held job is not", () => {
    const shard = new Shard();
    const submission = deferred();
    shard.do(submit([submission]));
    const user = { organizationId: acme, userId: ann };
    const attributeCounts = [{ ...user, count: LIMITS.attributesPerUser - 1 }];
    const { outcome } = shard.do(
      together(
        setAttribute(fact("one", "more"), boss),
        setAttribute(fact("too", "many"), boss),
        setAttribute(releasing(submission.job.id), boss),
        removeAttribute(fact("one", "more"), boss),
        setAttribute(fact("fits", "again"), boss),
      ),
      { attributeCounts },
    );
    const reasons = outcome.map(reasonOf);
    expect(reasons).toEqual([
      "no fault",
      "TOO_MANY_ATTRIBUTES",
      "no fault",
      "no fault",
      "no fault",
    ]);
  });
});
