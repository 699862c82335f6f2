import { describe, expect, test } from "vitest";

import { SERVER } from "../../src/jobs/audit.ts";
import { REMOVED } from "../../src/jobs/job.ts";
import { purgeWorkflows } from "../../src/shard/commands/purge-workflows.ts";
import { retry } from "../../src/shard/commands/retry.ts";
import { retryWorkflow } from "../../src/shard/commands/workflow.ts";
import { Flow, refused } from "./flow.ts";
import { acme } from "./harness.ts";

/** One whose time has come: a step failed, and another was blocked by it. */
const dueFlow = (): Flow => {
  const flow = new Flow({ a: {}, b: { after: ["a"] } });
  flow.fail("a");
  flow.shard.now = flow.workflow.purgeAt ?? Number.POSITIVE_INFINITY;
  return flow;
};

const purging = (flow: Flow) => {
  const { organizationId, id, stepCount } = flow.workflow;
  return purgeWorkflows([{ organizationId, id, stepCount }]);
};

describe("a workflow is removed", () => {
  test("with all of its jobs at once, and nobody is told of them", () => {
    const flow = dueFlow();
    expect(flow.do(purging(flow))).toBe(1);
    const { purgedWorkflows, retired, purged, updated } = flow.changes ?? {};
    expect(purgedWorkflows).toMatchObject([{ id: flow.workflow.id }]);
    expect(retired).toMatchObject(
      ["a", "b"].map((name) => ({ id: flow.job(name).id, revision: flow.job(name).revision })),
    );
    expect([purged, updated]).toEqual([[], []]);
  });

  test("not before its time, not while it lives, and not twice in a turn", () => {
    const flow = new Flow({ a: {}, b: { after: ["a"] } });
    expect(flow.do(purging(flow))).toBe(0);
    flow.fail("a");
    expect(flow.do(purging(flow))).toBe(0);
    flow.shard.now = (flow.workflow.purgeAt ?? 0) - 1;
    flow.retry("a");
    flow.shard.now += 1;
    expect(flow.do(purging(flow))).toBe(0);
    const due = dueFlow();
    const [once, id] = [purging(due), due.workflow.id];
    const steps = { organizationId: acme, id, stepCount: 2 };
    expect(due.do({ ...once, ...purgeWorkflows([steps, steps]) })).toBe(1);
  });

  test("for good: what is left of its jobs is neither retried nor changed", () => {
    const flow = dueFlow();
    const [one, ofStep, ofAll] = [
      purging(flow),
      retry(acme, flow.job("a").id, SERVER),
      retryWorkflow(acme, flow.workflow.id, SERVER),
    ];
    const outcome = flow.do({
      ...one,
      apply: (turn) => [one.apply(turn), refused(ofStep.apply(turn)), refused(ofAll.apply(turn))],
    });
    expect(outcome).toEqual([
      1,
      "JOB_NOT_RETRYABLE: Its time to be removed has come.",
      expect.stringContaining("WORKFLOW_NOT_FOUND"),
    ]);
    const left = { ...flow.job("a"), purgeAt: REMOVED };
    const later = flow.shard.do(ofStep, { jobs: [left] }).outcome;
    expect(refused(later)).toContain("JOB_NOT_RETRYABLE");
  });
});
