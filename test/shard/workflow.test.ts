import { describe, expect, test } from "vitest";

import { SERVER } from "../../src/jobs/audit.ts";
import type { UserId } from "../../src/jobs/ids.ts";
import { submit } from "../../src/shard/commands/submit.ts";
import { setAttribute } from "../../src/shard/commands/attributes.ts";
import { submitWorkflow } from "../../src/shard/commands/workflow.ts";
import { aSubmission } from "../support/job-row.ts";
import { aWorkflow, type Graph } from "../support/workflow.ts";
import { Flow, refused } from "./flow.ts";
import { acme, Shard } from "./harness.ts";

const DIAMOND: Graph = {
  top: {},
  left: { after: ["top"] },
  right: { after: ["top"] },
  bottom: { after: ["left", "right"] },
};

describe("a workflow is submitted", () => {
  test("whole: what waits for nothing starts in the same commit", () => {
    const flow = new Flow(DIAMOND);
    expect(flow.states).toEqual({
      top: "RUNNING",
      left: "BLOCKED",
      right: "BLOCKED",
      bottom: "BLOCKED",
    });
    expect(flow.changes).toMatchObject({
      workflows: [{ state: "RUNNING", stepCount: 4, revision: 1 }],
      audit: [{ action: "workflow.submit", details: '{"steps":4}' }],
    });
    expect(flow.changes?.edges).toHaveLength(4);
    expect(flow.changes?.workflowSteps).toHaveLength(4);
  });

  test("or not at all: all of its jobs have to find room in the queue", () => {
    const shard = new Shard({ maxQueued: 4 });
    shard.do(submit([aSubmission()]));
    const { outcome, turn } = shard.do(submitWorkflow(aWorkflow(DIAMOND)));
    expect(refused(outcome)).toContain("QUEUE_FULL: The queue has no room: 1 jobs");
    expect(turn.changedNothing).toBe(true);
    expect(shard.state.workflows.size).toBe(0);
  });

  test("once for each request id, which it shares with jobs", () => {
    const shard = new Shard();
    const [one, same] = [1, 2].map(() => aWorkflow({ a: {} }, { request: "r", fingerprint: "x" }));
    const other = aWorkflow({ a: {} }, { request: "r", fingerprint: "y" });
    if (one === undefined || same === undefined) throw new Error("no workflows");
    shard.do(submitWorkflow(one));
    const known = one.request === null ? [] : [one.request];
    const { outcome } = shard.do(submitWorkflow(same), { requests: known });
    expect(outcome).toMatchObject({
      created: false,
      rows: { workflow: { id: one.workflow.id } },
      jobs: [{ id: one.steps[0]?.step.jobId }],
    });
    expect(refused(shard.do(submitWorkflow(other), { requests: known }).outcome)).toContain(
      "REQUEST_ID_REUSED",
    );
    const job = { ...aSubmission(), request: other.request };
    expect(refused(shard.do(submit([job]), { requests: known }).outcome[0])).toContain(
      "REQUEST_ID_REUSED",
    );
  });

  test("under an id of its own: a chosen one may be taken", () => {
    const shard = new Shard();
    const flow = aWorkflow({ a: {} }, { idIsChosen: true });
    shard.do(submitWorkflow(flow));
    expect(refused(shard.do(submitWorkflow(flow)).outcome)).toContain("WORKFLOW_ALREADY_EXISTS");
  });
});

describe("a step starts", () => {
  test("in the commit in which the last of those that it waits for ended", () => {
    const flow = new Flow(DIAMOND);
    flow.end("top");
    expect(flow.started).toEqual(["left", "right"]);
    flow.end("left");
    expect(flow.states["bottom"]).toBe("BLOCKED");
    flow.end("right");
    expect(flow.started).toEqual(["bottom"]);
    flow.end("bottom");
    expect(flow.workflow).toMatchObject({
      state: "SUCCEEDED",
      succeeded: 4,
      endedAt: 1_000,
      purgeAt: 61_000,
    });
    expect(flow.shard.state.workflows.size).toBe(0);
  });

  test("also if all of them ended in one turn", () => {
    const flow = new Flow({ a: {}, b: {}, c: { after: ["a", "b"] } });
    flow.end("a", "b");
    expect(flow.started).toEqual(["c"]);
  });

  test("not before its run_at, and is SCHEDULED meanwhile", () => {
    const flow = new Flow({ a: {}, b: { after: ["a"], job: { runAt: 5_000 } } });
    flow.end("a");
    expect(flow.states["b"]).toBe("SCHEDULED");
  });

  test("not before its release; released early, it is BLOCKED", () => {
    const ann = "ann" as UserId;
    const held = { job: { runAs: ann }, submission: { deferred: true } };
    const flow = new Flow({ a: {}, b: { after: ["a"], ...held }, c: { after: ["a"], ...held } });
    const release = (name: string): void => {
      const value = flow.job(name).id;
      const given = { organizationId: acme, userId: ann, name: "release-job", value };
      flow.do(setAttribute({ ...given, kind: "DYNAMIC" }, SERVER));
    };
    expect(flow.states).toEqual({ a: "RUNNING", b: "HELD", c: "HELD" });
    release("b");
    expect(flow.states["b"]).toBe("BLOCKED");
    flow.end("a");
    expect(flow.states).toEqual({ a: "SUCCEEDED", b: "RUNNING", c: "HELD" });
    release("c");
    expect(flow.started).toEqual(["c"]);
  });
});

describe("a step that fails", () => {
  test("cancels those that wait for it, and what waits for them", () => {
    const flow = new Flow({ a: {}, b: { after: ["a"] }, c: { after: ["b"] }, d: {} });
    flow.fail("a");
    expect(flow.job("b")).toMatchObject({
      state: "CANCELLED",
      blockedBy: "a",
      cancelReason: 'step "a" failed: boom: it broke',
      cancelledBy: "",
    });
    expect(flow.job("c")).toMatchObject({
      state: "CANCELLED",
      blockedBy: "b",
      cancelReason: 'step "b" was cancelled',
    });
    expect(flow.workflow).toMatchObject({ state: "RUNNING", failed: 1, cancelled: 2 });
    expect(flow.changes?.workflows).toHaveLength(1);
    flow.end("d");
    expect(flow.workflow).toMatchObject({ state: "FAILED", succeeded: 1, endedAt: 1_000 });
  });

  test("lets those run that asked to, and is answered by them", () => {
    const flow = new Flow({ a: {}, b: { after: ["a?"] } });
    flow.fail("a");
    expect(flow.started).toEqual(["b"]);
    flow.end("b");
    expect(flow.workflow).toMatchObject({ state: "SUCCEEDED", failed: 1, succeeded: 1 });
  });

  test("is not answered while one that waits for it does not run anyway", () => {
    const flow = new Flow({ a: {}, b: { after: ["a?"] }, c: { after: ["a"] } });
    flow.fail("a");
    flow.end("b");
    expect(flow.workflow).toMatchObject({ state: "FAILED", failed: 1, succeeded: 1, cancelled: 1 });
  });

  test("wins over steps that would let their dependent run", () => {
    const flow = new Flow({ a: {}, b: {}, c: { after: ["a", "b?"] } });
    flow.fail("b");
    expect(flow.states["c"]).toBe("BLOCKED");
    flow.fail("a");
    expect(flow.job("c")).toMatchObject({ state: "CANCELLED", blockedBy: "a" });
  });

  test("gives a reason that fits", () => {
    const flow = new Flow({ a: {}, b: { after: ["a"] } });
    flow.fail("a", { message: "🚚".repeat(1_000) });
    expect(flow.job("b").cancelReason).toHaveLength(500);
    expect(flow.job("b").cancelReason.isWellFormed()).toBe(true);
  });

  test("cancels a HELD step too", () => {
    const held = { job: { runAs: "ann" as UserId }, submission: { deferred: true } };
    const flow = new Flow({ a: {}, b: { after: ["a"], ...held } });
    flow.fail("a");
    expect(flow.job("b")).toMatchObject({ state: "CANCELLED", blockedBy: "a" });
  });
});

describe("a workflow is cancelled", () => {
  test("by a step that somebody cancels and nothing answers", () => {
    const flow = new Flow({ a: {}, b: { after: ["a"] }, c: { after: ["b"] } });
    flow.cancel("b");
    expect(flow.job("c")).toMatchObject({ state: "CANCELLED", blockedBy: "b" });
    flow.end("a");
    expect(flow.workflow).toMatchObject({ state: "CANCELLED", succeeded: 1, cancelled: 2 });
  });

  test("as a whole: what waits ends, what runs is asked to, and nothing starts meanwhile", () => {
    const flow = new Flow({ a: {}, b: { after: ["a?"] }, c: {} });
    flow.end("c");
    expect(flow.cancelAll()).toMatchObject({ state: "RUNNING", cancelReason: "all" });
    expect(flow.states).toEqual({ a: "RUNNING", b: "CANCELLED", c: "SUCCEEDED" });
    expect(flow.job("b")).toMatchObject({ cancelReason: "all", blockedBy: "" });
    expect(flow.job("a").cancelRequestedAt).not.toBeNull();
    const before = flow.workflow;
    expect(flow.cancelAll()).toEqual(before);
    expect(refused(flow.retryAll())).toBe(
      "WORKFLOW_NOT_RETRYABLE: The workflow is being cancelled.",
    );
    flow.end("a");
    expect(flow.started).toEqual([]);
    expect(flow.workflow).toMatchObject({ state: "CANCELLED", cancelled: 2, succeeded: 1 });
    expect(refused(flow.cancelAll())).toBe(
      "WORKFLOW_NOT_CANCELLABLE: The workflow has ended: it is CANCELLED.",
    );
  });

  test("at once if nothing of it runs", () => {
    const flow = new Flow({ a: {}, b: { after: ["a"] } }, { maxRunning: 0 });
    expect(flow.cancelAll()).toMatchObject({ state: "CANCELLED", cancelled: 2 });
  });
});
