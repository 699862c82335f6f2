import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { JobState } from "../../src/gen/millrace/v1/job_pb.ts";
import { WorkflowState } from "../../src/gen/millrace/v1/workflow_pb.ts";
import { ENGINES } from "../support/databases.ts";
import { aStep, createFlows, failed, type Flows, WORK } from "../support/flows.ts";
import { refusalOf } from "../support/refusal.ts";
import type { TestServer } from "../support/server.ts";
import { startServerOn } from "../support/server-on.ts";

const from = (step: string, more: Record<string, JsonValue> = {}): JsonValue => ({
  $from: step,
  ...more,
});

describe.each(ENGINES)("workflows on %s", (engine) => {
  let server: TestServer;
  let flows: Flows;

  beforeAll(async () => {
    server = await startServerOn(engine, { handlers: [WORK, "idle"] });
    flows = createFlows(server);
  });
  afterAll(async () => {
    await server.stop();
  });

  it("run in the order of their ties, with results of earlier steps as inputs of later ones", async () => {
    const { workflow, nodes, created } = await server.jobs.submitWorkflow({
      name: "a token for a set",
      labels: { team: "blue", month: "11" },
      steps: [
        aStep("put", { input: { id: from("make", { pointer: "/id" }), all: [from("make")] } }),
        aStep("make", { spec: { labels: { month: "12" } } }),
        aStep("tell", { input: "done", after: ["put", "make"] }),
      ],
    });
    const id = workflow?.id ?? "";
    expect(created).toBe(true);
    expect(workflow).toMatchObject({
      state: WorkflowState.RUNNING,
      name: "a token for a set",
      creatorId: server.admin.userId,
      stepCount: 3,
      canCancel: true,
      canRetry: false,
    });
    expect(nodes.map(({ name, job }) => [name, job?.state, job?.labels])).toEqual([
      ["put", JobState.BLOCKED, { team: "blue", month: "11" }],
      ["make", expect.anything(), { team: "blue", month: "12" }],
      ["tell", JobState.BLOCKED, { team: "blue", month: "11" }],
    ]);
    expect(nodes.map(({ after }) => after.map(({ step }) => step))).toEqual([
      ["make"],
      [],
      ["put", "make"],
    ]);

    const done = await flows.run(id, { make: () => ({ id: 7, secret: "s" }) });
    expect(done).toEqual([
      ["make", null],
      ["put", { id: 7, all: [{ id: 7, secret: "s" }] }],
      ["tell", "done"],
    ]);
    const ended = await flows.get(id);
    expect(ended.workflow).toMatchObject({
      state: WorkflowState.SUCCEEDED,
      succeededCount: 3,
      canCancel: false,
      canRetry: false,
    });
    expect(ended.workflow?.endTime).toBeDefined();
    const put = (await flows.jobsOf(id)).get("put");
    expect(put).toMatchObject({ workflowId: id, stepName: "put" });
    const { input } = await server.jobs.getJobInput({ jobId: put?.id ?? "" });
    expect(input).toEqual(fromJson(ValueSchema, { id: 7, all: [{ id: 7, secret: "s" }] }));
  });

  it("take out of results what a JSON Pointer names, and a default for what is not there", async () => {
    const result = { "a/b": { "~": [{ "": "deep" }] }, zero: 0, nothing: null };
    const take = (pointer: string, more: Record<string, JsonValue> = {}) =>
      from("make", { pointer, ...more });
    const id = await flows.submit(
      aStep("make"),
      aStep("deep", { input: take("/a~1b/~0/0/") }),
      aStep("zero", { input: [take("/zero"), take("/nothing", { default: 1 })] }),
      aStep("absent", { input: take("/zero/0", { default: { is: "absent" } }) }),
      aStep("lost", { input: { x: { y: take("/a~1b/~0/1") } } }),
    );
    const done = new Map(await flows.run(id, { make: () => result }));
    expect(done.get("deep")).toBe("deep");
    expect(done.get("zero")).toEqual([0, null]);
    expect(done.get("absent")).toEqual({ is: "absent" });
    expect(done.has("lost")).toBe(false);
    const lost = (await flows.jobsOf(id)).get("lost");
    expect(lost).toMatchObject({ state: JobState.FAILED, error: { code: "binding.missing" } });
    expect(lost?.error?.message).toContain("/a~1b/~0/1");
    expect(lost?.error?.message).toContain("/x/y");
    expect(await flows.stateOf(id)).toBe("FAILED");
  });

  it("have inputs that are shown as submitted until all is there that they take, and if it cannot be", async () => {
    const input = { ok: from("make", { pointer: "/id" }), rest: [from("other", { default: 0 })] };
    const id = await flows.submit(
      aStep("make"),
      aStep("other", { after: ["make"] }),
      aStep("taker", { input }),
      aStep("loser", { input: from("make", { pointer: "/none" }) }),
    );
    const jobs = await flows.jobsOf(id);
    const inputOf = async (step: string): Promise<unknown> => {
      const jobId = jobs.get(step)?.id ?? "";
      const shown = (await server.jobs.getJobInput({ jobId })).input;
      return shown && toJson(ValueSchema, shown);
    };
    expect(await inputOf("taker")).toEqual(input);
    await flows.run(id, {
      make: () => ({ id: 7 }),
      other: async () => {
        expect(await inputOf("taker")).toEqual(input);
        return null;
      },
    });
    expect(await inputOf("taker")).toEqual({ ok: 7, rest: [null] });
    expect(await inputOf("loser")).toEqual(from("make", { pointer: "/none" }));
    expect(await flows.statesOf(id)).toMatch(/loser FAILED/);
  });

  it("cancel what waits for a step that fails, with the reason, or run it with the error", async () => {
    const id = await flows.submit(
      aStep("fetch"),
      aStep("store", { input: from("fetch") }),
      aStep("publish", { after: ["store"] }),
      aStep("alarm", { after: ["fetch!"], input: { why: from("fetch", { of: "error" }) } }),
      aStep("apart"),
    );
    const done = new Map(await flows.run(id, { fetch: () => failed("no network") }));
    expect(done.get("alarm")).toEqual({ why: { code: "script.threw", message: "no network" } });
    expect(await flows.statesOf(id)).toBe(
      "fetch FAILED, store CANCELLED, publish CANCELLED, alarm SUCCEEDED, apart SUCCEEDED",
    );
    const jobs = await flows.jobsOf(id);
    expect(jobs.get("store")?.blockedBy).toBe("fetch");
    // Not each step that waited for it runs anyway.
    const { workflow } = await flows.get(id);
    expect(workflow).toMatchObject({
      state: WorkflowState.FAILED,
      succeededCount: 2,
      failedCount: 1,
      cancelledCount: 2,
      canRetry: true,
    });
  });

  it("succeed where each failure is answered by a step that runs anyway", async () => {
    const id = await flows.submit(
      aStep("try"),
      aStep("answer", { after: ["try!"], input: from("try", { of: "error", pointer: "/code" }) }),
    );
    expect(await flows.run(id, { try: () => failed() })).toContainEqual(["answer", "script.threw"]);
    expect(await flows.stateOf(id)).toBe("SUCCEEDED");
  });

  it("are retried where they failed: what had been blocked comes back, what succeeded stays", async () => {
    const id = await flows.submit(
      aStep("first"),
      aStep("second", { after: ["first"] }),
      aStep("third", { input: from("second") }),
    );
    await flows.run(id, { second: () => failed() });
    expect(await flows.statesOf(id)).toBe("first SUCCEEDED, second FAILED, third CANCELLED");
    const { workflow } = await server.jobs.retryWorkflow({ workflowId: id });
    expect(workflow).toMatchObject({ state: WorkflowState.RUNNING, canRetry: false });
    const done = await flows.run(id, { second: () => "made it" });
    expect(done).toEqual([
      ["second", null],
      ["third", "made it"],
    ]);
    expect(await flows.stateOf(id)).toBe("SUCCEEDED");
    const again = await refusalOf(server.jobs.retryWorkflow({ workflowId: id }));
    expect(again).toMatchObject({ reason: "WORKFLOW_NOT_RETRYABLE", code: "FailedPrecondition" });
  });

  it("are cancelled with all that has not ended, once", async () => {
    const id = await flows.submit(
      aStep("late", { spec: { work: { case: "type", value: "idle" } } }),
      aStep("later", { after: ["late"] }),
    );
    const { workflow } = await server.jobs.cancelWorkflow({ workflowId: id, reason: "not now" });
    expect(workflow).toMatchObject({
      state: WorkflowState.CANCELLED,
      cancelReason: "not now",
      cancelledBy: server.admin.userId,
      canCancel: false,
    });
    expect(await flows.statesOf(id)).toBe("late CANCELLED, later CANCELLED");
    const again = await refusalOf(server.jobs.cancelWorkflow({ workflowId: id }));
    expect(again).toMatchObject({
      reason: "WORKFLOW_NOT_CANCELLABLE",
      metadata: { workflow_id: id, state: "CANCELLED" },
    });
    const long = server.jobs.cancelWorkflow({ workflowId: id, reason: "x".repeat(501) });
    expect((await refusalOf(long)).fields).toEqual(["reason"]);
  });
});
