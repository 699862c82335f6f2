import { describe, expect, test } from "vitest";

import { SERVER } from "../../src/jobs/audit.ts";
import type { UserId } from "../../src/jobs/ids.ts";
import { releaseOf, setAttribute } from "../../src/shard/commands/attributes.ts";
import { cancel } from "../../src/shard/commands/cancel.ts";
import { wakeUp } from "../../src/shard/commands/clockwork.ts";
import { submit } from "../../src/shard/commands/submit.ts";
import { aJobRow, aSubmission } from "../support/job-row.ts";
import type { Graph } from "../support/workflow.ts";
import { Flow, refused, waitsOf } from "./flow.ts";
import { acme } from "./harness.ts";

describe("a retry", () => {
  const BRANCHES: Graph = {
    a: {},
    b: { after: ["a"] },
    c: { after: ["b", "d"] },
    d: {},
    e: { after: ["a?"] },
  };

  test("of a failed step revives what it had blocked, and nothing that ran anyway", () => {
    const flow = new Flow(BRANCHES);
    flow.fail("a");
    flow.end("e", "d");
    expect(flow.workflow.state).toBe("FAILED");
    expect(flow.retry("a")).toMatchObject({ state: "QUEUED", retryCount: 1 });
    expect(flow.states).toEqual({
      ...{ a: "RUNNING", b: "BLOCKED", c: "BLOCKED" },
      ...{ d: "SUCCEEDED", e: "SUCCEEDED" },
    });
    expect(flow.job("b")).toMatchObject({
      ...{ blockedBy: "", cancelReason: "", cancelRequestedAt: null },
      ...{ endedAt: null, purgeAt: null },
    });
    expect(flow.workflow).toMatchObject({
      ...{ state: "RUNNING", endedAt: null, purgeAt: null },
      ...{ succeeded: 2, failed: 0, cancelled: 0, unansweredFailed: 0 },
    });
    flow.end("a");
    expect(flow.started).toEqual(["b"]);
    flow.end("b");
    flow.end("c");
    expect(flow.workflow).toMatchObject({ state: "SUCCEEDED", succeeded: 5 });
  });

  test("leaves blocked what another step still blocks, until that is retried too", () => {
    const flow = new Flow({ a: {}, b: {}, c: { after: ["a", "b"] }, d: { after: ["c"] } });
    flow.fail("a");
    flow.fail("b");
    flow.retry("a");
    expect(flow.states).toEqual({ a: "RUNNING", b: "FAILED", c: "CANCELLED", d: "CANCELLED" });
    flow.end("a");
    expect(flow.workflow.state).toBe("FAILED");
    flow.retry("b");
    expect(flow.states).toMatchObject({ b: "RUNNING", c: "BLOCKED", d: "BLOCKED" });
    flow.end("b");
    expect(flow.started).toEqual(["c"]);
  });

  test("of the whole gives all failed steps another attempt, in their order", () => {
    const flow = new Flow({ a: {}, b: { after: ["a?"] }, c: { after: ["b"] } });
    flow.fail("a");
    flow.fail("b");
    expect(flow.workflow.state).toBe("FAILED");
    expect(flow.retryAll()).toMatchObject({ state: "RUNNING", failed: 0, cancelled: 0 });
    expect(flow.states).toEqual({ a: "RUNNING", b: "BLOCKED", c: "BLOCKED" });
    expect(flow.changes?.audit).toMatchObject([
      { action: "workflow.retry", details: '{"retried":2,"revived":1}' },
    ]);
    flow.end("a");
    expect(flow.started).toEqual(["b"]);
  });

  test("blocks at once what waits for a step that comes back, with it or before it", () => {
    const byHand = (retry: (flow: Flow) => void): Flow["states"] => {
      const flow = new Flow({ a: {}, b: { after: ["a?"] } }, {}, 1);
      flow.fail("a");
      flow.fail("b");
      // Takes the slot: whoever is not blocked stands in line.
      flow.do(submit([aSubmission()]));
      retry(flow);
      return { a: flow.job("a").state, b: flow.job("b").state };
    };
    const blocked = { a: "QUEUED", b: "BLOCKED" };
    expect(byHand((flow) => flow.retryAll())).toEqual(blocked);
    expect(byHand((flow) => [flow.retry("a"), flow.retry("b")])).toEqual(blocked);
  });

  test("leaves what somebody cancelled, and what that has blocked", () => {
    const flow = new Flow({ a: {}, b: { after: ["a"] }, c: {}, d: { after: ["c"] } });
    flow.cancel("c");
    flow.fail("a");
    flow.end("c");
    expect(flow.states).toMatchObject({ c: "CANCELLED", d: "CANCELLED" });
    flow.retryAll();
    expect(flow.states).toEqual({ a: "RUNNING", b: "BLOCKED", c: "CANCELLED", d: "CANCELLED" });
    flow.end("a");
    flow.end("b");
    expect(flow.workflow).toMatchObject({ state: "CANCELLED", succeeded: 2, cancelled: 2 });
  });

  test("is refused if no failed step may have another attempt, and names one", () => {
    const spent = { retryPolicy: { ...aJobRow().retryPolicy, maxRetries: 0 } };
    const flow = new Flow({ a: { job: spent }, b: {} });
    flow.fail("a");
    expect(refused(flow.retryAll())).toBe(
      'WORKFLOW_NOT_RETRYABLE: Step "a" cannot be retried: All 0 retries have been used.',
    );
    flow.fail("b");
    expect(flow.retryAll()).toMatchObject({ state: "RUNNING", failed: 1 });
    expect(flow.states).toEqual({ a: "FAILED", b: "RUNNING" });
  });

  test("is refused without a failed step, without room, and after the workflow's time", () => {
    const flow = new Flow({ a: {}, b: { after: ["a"] } }, { maxQueued: 2, retentionMs: 500 });
    expect(refused(flow.retryAll())).toContain("WORKFLOW_NOT_RETRYABLE: No step of it has failed.");
    flow.fail("a");
    flow.shard.admit(acme, { maxQueued: 1, retentionMs: 500 });
    expect(refused(flow.retryAll())).toContain("QUEUE_FULL");
    expect(refused(flow.retry("a"))).toContain("QUEUE_FULL");
    flow.shard.now += 500;
    expect(refused(flow.retryAll())).toContain("Its time to be removed has come.");
    expect(refused(flow.retry("a"))).toContain("Its time to be removed has come.");
  });
});

describe("a step that runs anyway", () => {
  const FALLBACK: Graph = { a: {}, b: { after: ["a?"] }, c: { after: ["b"] } };

  test("and has not started waits again for the upstream that is retried", () => {
    const flow = new Flow(FALLBACK, {}, 1);
    const other = aSubmission({ priority: 9 });
    flow.do(submit([other]));
    flow.fail("a");
    expect(flow.states).toMatchObject({ a: "FAILED", b: "QUEUED" });
    flow.retry("a");
    expect(flow.states).toMatchObject({ a: "QUEUED", b: "QUEUED" });
    flow.do(cancel(acme, other.job.id, { reason: "", by: SERVER }));
    flow.shard.offer(3);
    flow.do(submit([]));
    expect(flow.states).toMatchObject({ a: "RUNNING", b: "BLOCKED", c: "BLOCKED" });
    flow.fail("a");
    expect(flow.started).toEqual(["b"]);
  });

  test("and is to run again waits for it too", () => {
    const flow = new Flow(FALLBACK);
    flow.fail("a");
    flow.retry("a");
    flow.fail("b", { retryable: true });
    expect(flow.states).toMatchObject({ a: "RUNNING", b: "RETRYING" });
    flow.shard.now += 600_000;
    flow.do(wakeUp(10));
    expect(flow.states).toMatchObject({ a: "RUNNING", b: "BLOCKED" });
    flow.end("a");
    expect(flow.started).toEqual(["b"]);
    expect(flow.job("b").attempt).toBe(2);
  });
});

test("a step that was cancelled before its release is HELD again when it is revived", () => {
  const flow = new Flow({
    a: {},
    b: { after: ["a"], submission: { deferred: true }, job: { runAs: "bob" as UserId } },
  });
  expect(flow.states).toEqual({ a: "RUNNING", b: "HELD" });
  flow.fail("a");
  expect(flow.states).toMatchObject({ b: "CANCELLED" });
  flow.retry("a");
  expect(flow.states).toEqual({ a: "RUNNING", b: "HELD" });
  flow.end("a");
  expect(flow.states).toMatchObject({ b: "HELD" });
  const attribute = releaseOf({ organizationId: acme, id: flow.job("b").id }, "bob" as UserId);
  flow.do(setAttribute({ ...attribute, kind: "DYNAMIC" }, SERVER));
  expect(flow.started).toEqual(["b"]);
});

describe("a new owner", () => {
  test("finds the same waits as the one before, at every point of a workflow's life", async () => {
    const flow = new Flow({
      a: {},
      b: { after: ["a?"] },
      c: { after: ["b", "e"] },
      d: { after: ["c", "e?"] },
      e: {},
    });
    const check = async (): Promise<void> => {
      expect(waitsOf(await flow.reloaded())).toEqual(waitsOf(flow.shard.state));
    };
    await check();
    flow.fail("a");
    await check();
    flow.retry("a");
    await check();
    flow.end("e");
    await check();
    flow.fail("b");
    await check();
    flow.retryAll();
    await check();
    flow.end("a");
    flow.end("b");
    expect(flow.started).toEqual(["c"]);
    await check();
  });
});
