import { describe, expect, test } from "vitest";

import { SERVER } from "../../src/jobs/audit.ts";
import type { OrganizationId } from "../../src/jobs/ids.ts";
import type { JobRow } from "../../src/jobs/job.ts";
import { hasEnded } from "../../src/jobs/states.ts";
import { cancel } from "../../src/shard/commands/cancel.ts";
import type { Command } from "../../src/shard/commands/command.ts";
import { retry } from "../../src/shard/commands/retry.ts";
import { submit } from "../../src/shard/commands/submit.ts";
import { submitWorkflow } from "../../src/shard/commands/workflow.ts";
import { stateOf } from "../../src/shard/load.ts";
import { note } from "../../src/shard/note.ts";
import { tellRest } from "../../src/shard/notices/hooks.ts";
import type { UnfinishedRow } from "../../src/jobs/unfinished.ts";
import type { ColdRows, ShardChanges, WorkflowRows } from "../../src/store/store.ts";
import { aHookRow, onJobs } from "../support/hook-row.ts";
import { aSubmission } from "../support/job-row.ts";
import { aWorkflow, type Graph } from "../support/workflow.ts";
import { acme, Shard, someLimits } from "./harness.ts";

const NOTHING = submit([]);
const other = "other" as OrganizationId;

/** A shard whose turns do very little, with what stands in its database. */
class Small {
  readonly shard = new Shard({ maxRunning: 100 });
  readonly jobs = new Map<string, JobRow>();
  readonly left = new Map<string, UnfinishedRow>();
  workflows = new Map<string, WorkflowRows>();

  constructor() {
    this.shard.bounds = { settled: 2, notices: 2 };
  }

  do(command: Command<unknown>, cold: Partial<ColdRows> = {}): ShardChanges {
    const { turn } = this.shard.do(command, cold);
    note(turn);
    const changes = turn.changes();
    for (const row of [...changes.inserted, ...changes.updated]) this.jobs.set(row.id, row);
    for (const { id } of changes.finished) expect(this.left.delete(id)).toBe(true);
    for (const row of changes.unfinished) this.left.set(row.id, row);
    for (const workflow of changes.workflows) {
      const { steps, edges } = this.workflows.get(workflow.id) ?? {
        steps: changes.workflowSteps,
        edges: changes.edges,
      };
      this.workflows.set(workflow.id, { workflow, steps, edges });
    }
    return changes;
  }

  workflow(graph: Graph): (name: string) => JobRow {
    const submission = aWorkflow(graph);
    this.do(submitWorkflow(submission));
    return (name) => {
      const job = submission.steps.find(({ step }) => step.name === name)?.submission.job;
      return this.jobs.get(job?.id ?? "") as JobRow;
    };
  }

  /** Another owner takes over. */
  async reload(): Promise<void> {
    const jobs = [...this.jobs.values()];
    this.shard.state = await stateOf(
      {
        ...{ epoch: 1, revision: 1, metricsClosedUntil: 0, untold: new Map() },
        jobs: jobs.filter(({ state }) => !hasEnded(state)),
        organizations: [someLimits(), someLimits({ organizationId: other })],
        workflows: [...this.workflows.values()].filter(({ workflow }) => workflow.endedAt === null),
        unsettled: jobs.filter(({ id }) => this.left.has(id)),
      },
      async () => {},
    );
  }
}

const cancelling = ({ organizationId, id }: JobRow): Command<unknown> =>
  cancel(organizationId, id, { reason: "enough", by: SERVER });

const fan = (size: number): Graph =>
  Object.fromEntries(
    Array.from({ length: size }, (_, at) => [`s${at}`, at === 0 ? {} : { after: ["s0"] }]),
  );

const countOf = (small: Small, state: JobRow["state"]): number =>
  [...small.jobs.values()].filter((job) => job.state === state).length;

describe("what follows from the end of a job", () => {
  test.each(["the same owner", "a new owner for each turn"])(
    "goes on in the next turns if it is much, with %s",
    async (owner) => {
      const small = new Small();
      const step = small.workflow(fan(8));
      const counts = [];
      small.do(cancelling(step("s0")));
      for (let turn = 0; turn < 4; turn += 1) {
        counts.push(countOf(small, "CANCELLED"));
        expect([...small.left.keys()]).toEqual(turn < 3 ? [step("s0").id] : []);
        if (owner !== "the same owner") await small.reload();
        small.do(NOTHING);
      }
      expect(counts).toEqual([3, 5, 7, 8]);
      const [{ workflow } = { workflow: null }] = small.workflows.values();
      expect(workflow).toMatchObject({ state: "CANCELLED", cancelled: 8 });
      expect(step("s5")).toMatchObject({ blockedBy: "s0" });
      expect(small.shard.state.unsettled.size).toBe(0);
    },
  );

  test("is no matter of turns for a step that waits for the last of several", async () => {
    const small = new Small();
    const step = small.workflow({ a: {}, b: {}, c: { after: ["a?", "b?"] }, ...fan(5) });
    small.do(cancelling(step("a")));
    small.do(cancelling(step("s0")));
    expect(small.left.size).toBe(1);
    await small.reload();
    small.do(cancelling(step("b")));
    small.do(NOTHING);
    expect(step("c").state).toBe("QUEUED");
  });

  test("keeps nobody else waiting: organizations take turns", () => {
    const small = new Small();
    small.shard.admit(other);
    const steps = Array.from({ length: 3 }, () => small.workflow(fan(60)));
    for (const step of steps) small.do(cancelling(step("s0")));
    expect(small.left.size).toBe(3);
    const theirs = aWorkflow({ a: {}, b: { after: ["a"] } });
    const own = {
      ...theirs,
      workflow: { ...theirs.workflow, organizationId: other },
      edges: theirs.edges.map((edge) => ({ ...edge, organizationId: other })),
      steps: theirs.steps.map(({ step, submission }) => ({
        step: { ...step, organizationId: other },
        submission: {
          ...submission,
          job: { ...submission.job, organizationId: other },
          spec: { ...submission.spec, organizationId: other },
        },
      })),
    };
    small.do(submitWorkflow(own));
    const [first, second] = own.steps.map(({ submission }) => submission.job);
    small.shard.bounds = { settled: 101, notices: 2 };
    if (first !== undefined) small.do(cancelling(first));
    expect(small.jobs.get(second?.id ?? "")?.state).toBe("CANCELLED");
    expect(small.left.size).toBeGreaterThan(0);
  });

  test("has all been done before a step of the workflow is retried", () => {
    const small = new Small();
    small.shard.offer(1);
    const step = small.workflow(fan(7));
    small.do({
      ...{ weight: 1, bytes: 0, want: () => {} },
      apply: (turn) => {
        const job = turn.state.find(acme, step("s0").id);
        if (job !== undefined) turn.change(job, { state: "FAILED", endedAt: turn.now, attempt: 1 });
      },
    });
    expect(countOf(small, "BLOCKED")).toBe(4);
    small.do(retry(acme, step("s0").id, SERVER), {
      jobs: [...small.jobs.values()].filter(({ state }) => hasEnded(state)),
    });
    expect(step("s0").state).toBe("RUNNING");
    expect(countOf(small, "BLOCKED")).toBe(6);
    expect([countOf(small, "CANCELLED"), small.left.size]).toEqual([0, 0]);
  });

  test("reaches all children of a job that was cancelled, and theirs", async () => {
    const small = new Small();
    small.shard.offer(3);
    const bear = (parentId: JobRow["parentId"], count: number): JobRow[] =>
      small.do(submit(Array.from({ length: count }, () => aSubmission({ parentId }))))
        .inserted as JobRow[];
    const [root] = bear("", 1);
    const [child] = bear(root?.id ?? "", 1);
    bear(child?.id ?? "", 6);
    if (root !== undefined) small.do(cancelling(root));
    expect(small.left.size).toBeGreaterThan(0);
    for (let turn = 0; turn < 4; turn += 1) {
      await small.reload();
      small.do(NOTHING);
    }
    const rows = [...small.jobs.values()];
    expect(rows.every(({ cancelRequestedAt }) => cancelRequestedAt !== null)).toBe(true);
    expect([countOf(small, "RUNNING"), countOf(small, "CANCELLED")]).toEqual([3, 5]);
    expect(small.left.size).toBe(0);
  });
});

test("hooks beyond the room of a turn are told by later ones, in order, and hear of it as it was", () => {
  const small = new Small();
  const states = ["QUEUED", "CANCELLED"] as const;
  const hooks = [1, 2].map(() => aHookRow({ event: onJobs({ states }) }));
  small.shard.state = new Shard({ hooks }).state;
  const first = small.do(submit([aSubmission(), aSubmission(), aSubmission()]));
  expect(first.deliveries.map(({ event }) => event)).toEqual(["job.queued", "job.queued"]);
  expect(small.left.size).toBe(2);
  const [job] = first.inserted;
  // What comes later waits behind it, although there is room.
  const second = small.do(cancelling(job as JobRow));
  expect([second.deliveries.length, small.left.size]).toEqual([0, 3]);
  const tell: Command<unknown> = {
    ...{ weight: 1, bytes: 0, want: () => {} },
    apply: (turn) => {
      tellRest(turn);
    },
  };
  const third = small.do(tell, { untold: [...small.left.values()].slice(0, 2) });
  expect(third.deliveries).toHaveLength(4);
  expect(third.deliveries.map(({ event }) => event)).toEqual(Array(4).fill("job.queued"));
  const fourth = small.do(tell, { untold: [...small.left.values()] });
  expect(fourth.deliveries).toMatchObject(
    hooks.map(({ id: hookId }) => ({ event: "job.cancelled", hookId, jobId: job?.id })),
  );
  expect([small.left.size, small.shard.state.untold.isEmpty]).toEqual([0, true]);
});
